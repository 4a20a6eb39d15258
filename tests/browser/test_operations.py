"""What operators do: run a task again, clear a cache, look into runs and an agent's state, mend a schema."""

from django.db import connection

from core_tables.models import Task
from tests.browser.visitor import expect


def test_a_failed_task_runs_again(visit):
    task = Task.objects.failed().filter(agent__name="Milo").first()
    visitor = visit("/admin/core_tables/task/")
    visitor.filter("failed")
    visitor.page.locator(f"#result_list a[href*='{task.pk}']").click()
    visitor.sees("Traceback (most recent call last)")
    visitor.click("Run again, with all attempts", role="button")
    visitor.sees("1 task made due again, with all attempts before it.")
    task.refresh_from_db()
    assert (task.status, task.attempts) == ("pending", 0)


def test_several_tasks_are_cancelled_at_once(visit):
    visitor = visit("/admin/core_tables/task/")
    visitor.page.locator("#result_list tbody input[type=checkbox]").nth(-1).check()
    visitor.page.locator("#result_list tbody input[type=checkbox]").nth(-2).check()
    visitor.page.get_by_label("Action:").select_option(label="Cancel selected tasks")
    visitor.page.locator(".actions button[type=submit]").click()
    visitor.sees("2 tasks made cancelled.")


def test_runs_and_their_entries(visit):
    visitor = visit("/admin/core_tables/")
    visitor.click("Runs")
    visitor.page.get_by_label("Status:").select_option("error")
    visitor.click("Show", role="button")
    ends = {row[1] for row in visitor.table("The newest runs")[1:]}
    assert ends == {"error"}
    visitor.click("Entries of run", exact=False)
    visitor.sees("run_event")


def test_the_dashboard_of_an_agent(visit):
    visitor = visit("/admin/core_tables/agent/")
    visitor.click("Dashboard of Ada")
    visitor.is_at("Dashboard of Ada")
    assert visitor.page.get_by_label("Memories a day").or_(visitor.page.locator("svg")).count()
    visitor.sees("NobodyOnTheRota")
    visitor.click("remind-descaling")
    visitor.is_at("Change task")


def test_secrets_stay_hidden(visit):
    visitor = visit("/admin/core_tables/agent/")
    visitor.click("Ada")
    visitor.is_at("Change agent")
    assert "no real token" not in visitor.page.content()


def test_what_a_schema_lacks_is_made_by_clicking(visit):
    visitor = visit()
    visitor.click("Schema")
    visitor.sees("converged")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE participants DROP COLUMN last_read_at")
    visitor.page.reload()
    visitor.sees("lacks 1 column")
    expect(visitor.page.locator("#pending-sql")).to_contain_text('ADD COLUMN "last_read_at"')
    visitor.click("Run automigrate…")
    visitor.click("Yes, run it", role="button")
    expect(visitor.page.locator("#verdict")).to_contain_text("The schema is complete.")
    visitor.click("Back to the schema")
    visitor.sees("converged")
    expect(visitor.page.locator("#pending-sql")).to_have_count(0)
