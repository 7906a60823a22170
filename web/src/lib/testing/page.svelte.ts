/** Replaces SvelteKit's `page` and `goto`, which work only in its router. */
class FakePage {
  url = $state.raw(new URL('http://taskmesh.test/'));
  /** The queries in the history before the current one. */
  left: string[] = [];
}

export const page = new FakePage();

export function goto(address: string, { replace = false } = {}): Promise<void> {
  if (!replace) page.left.push(page.url.search);
  page.url = new URL(address, page.url);
  return Promise.resolve();
}
