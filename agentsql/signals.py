"""What agentsql tells others."""

from django.dispatch import Signal

# Sent after each run for every plugin whose schema on that database is complete, whether or not the run had to make
# anything: what one interrupted process did not seed, the next one does. Also sent when a flush has emptied the tables.
#
#   sender  the plugin's AppConfig        using   the database alias
#   report  agentsql.report.Report of the run; None after a flush
schema_applied = Signal()
