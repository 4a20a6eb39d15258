/* Loads older and newer messages into the page when they are scrolled to. Without it, the same links turn the page. */
'use strict';
{
    const transcript = document.getElementById('transcript');
    const status = document.getElementById('transcript-status');
    const observer = new IntersectionObserver(seen);
    let isLoading = false;
    let hasFailed = false;

    function links() {
        return transcript.querySelectorAll('.transcript-more a');
    }

    function watch() {
        observer.disconnect();
        links().forEach((link) => observer.observe(link));
    }

    /* What Tab leads to comes into sight, too. Then a link waits for Enter: else each step would load a page more. */
    function isScrolledTo(entry) {
        const focused = document.querySelector(':focus-visible');
        return entry.isIntersecting && entry.target.isConnected && !(focused?.tabIndex >= 0);
    }

    function seen(entries) {
        const entry = entries.find(isScrolledTo);
        if (entry) {
            load(entry.target);
        }
    }

    async function fetched(link) {
        const response = await fetch(link.href, {credentials: 'same-origin'});
        const page = new DOMParser().parseFromString(await response.text(), 'text/html');
        const section = page.querySelector('.transcript-page');
        if (!response.ok || !section) {
            throw new Error('no transcript');
        }
        return document.importNode(section, true);
    }

    /* Puts a page before or after the one that has the link, and leaves what is on the screen where it is. */
    function insert(section, link) {
        const here = link.closest('.transcript-page');
        const place = link.closest('.transcript-more');
        const isOlder = place.dataset.direction === 'older';
        const anchor = here.querySelector('.transcript-columns');
        const top = anchor.getBoundingClientRect().top;
        const wasFocused = document.activeElement === link;
        const back = section.querySelector(`[data-direction="${isOlder ? 'newer' : 'older'}"]`);
        if (back) {
            back.remove();
        }
        place.remove();
        here[isOlder ? 'before' : 'after'](section);
        window.scrollBy({top: anchor.getBoundingClientRect().top - top, behavior: 'instant'});
        if (wasFocused) {
            section.focus({preventScroll: true});
        }
        const count = section.querySelectorAll('.bubble').length;
        status.textContent = `${count} ${isOlder ? 'older' : 'newer'} messages loaded.`;
    }

    async function load(link) {
        if (isLoading || hasFailed) {
            return;
        }
        isLoading = true;
        try {
            insert(await fetched(link), link);
            watch();
        } catch {
            hasFailed = true;
            observer.disconnect();
            status.textContent = 'More messages could not be loaded here: the link opens them.';
            status.classList.remove('visually-hidden');
        } finally {
            isLoading = false;
        }
    }

    /* A message that is on the page already needs no other page. */
    function go(event, id) {
        const message = document.getElementById(`message-${id}`);
        if (message) {
            event.preventDefault();
            message.scrollIntoView({block: 'center'});
            message.focus({preventScroll: true});
        }
    }

    transcript.addEventListener('click', (event) => {
        const link = event.target.closest('a');
        if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
            return;
        }
        if (link.dataset.message) {
            go(event, link.dataset.message);
        } else if (link.closest('.transcript-more') && !hasFailed) {
            event.preventDefault();
            load(link);
        }
    });

    const moment = document.getElementById('at');
    if (moment) {
        moment.scrollIntoView({block: 'center', behavior: 'instant'});
    } else if (!location.hash && !location.search) {
        const newest = [...transcript.querySelectorAll('.bubble')].pop();
        newest?.scrollIntoView({block: 'end', behavior: 'instant'});
    }
    watch();
}
