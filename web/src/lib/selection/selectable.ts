import type { Attachment } from 'svelte/attachments';
import { isDraft } from '#lib/tasks/tasks.svelte.ts';
import type { Selection } from './selection.svelte';

/**
 * Let a card be selected: by click or Space in selection mode, at any time by Ctrl or Command with a click or by x.
 * With Shift, up to here.
 */
export function selectable(selection: Selection, id: () => string): Attachment<HTMLElement> {
  return (card) => {
    const select = (event: MouseEvent | KeyboardEvent) => {
      event.preventDefault();
      event.stopPropagation(); // a click must not also open the task
      if (event.shiftKey) selection.extendTo(id());
      else selection.toggle(id());
    };
    const click = (event: MouseEvent) => {
      if (isDraft(id())) return;
      if (selection.isOn || event.ctrlKey || event.metaKey || event.shiftKey) select(event);
    };
    const press = (event: KeyboardEvent) => {
      if (isDraft(id()) || event.key.toLowerCase() !== 'x' || event.ctrlKey || event.metaKey || event.altKey) return;
      select(event);
    };
    // The browser would select the text up to here.
    const keepText = (event: MouseEvent) => {
      if (event.shiftKey) event.preventDefault();
    };
    card.addEventListener('click', click, { capture: true });
    card.addEventListener('keydown', press);
    card.addEventListener('mousedown', keepText);
    return () => {
      card.removeEventListener('click', click, { capture: true });
      card.removeEventListener('keydown', press);
      card.removeEventListener('mousedown', keepText);
    };
  };
}
