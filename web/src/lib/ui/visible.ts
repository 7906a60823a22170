import type { Attachment } from 'svelte/attachments';

const AHEAD = '600px';

/** Call `handler` whenever the element is in view or within 600 px of it. */
export function whenVisible(handler: () => void): Attachment<Element> {
  return (element) => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) handler();
      },
      { rootMargin: AHEAD },
    );
    observer.observe(element);
    return () => observer.disconnect();
  };
}
