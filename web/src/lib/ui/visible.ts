import type { Attachment } from 'svelte/attachments';

const AHEAD = '600px';

/** Calls `what` whenever the element comes into view, or soon will. */
export function whenVisible(what: () => void): Attachment<Element> {
  return (element) => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) what();
      },
      { rootMargin: AHEAD },
    );
    observer.observe(element);
    return () => observer.disconnect();
  };
}
