/** Replaces SvelteKit's `page` and `goto`, which work only in its router. */
class FakePage {
  url = $state.raw(new URL('http://taskmesh.test/'));
  /** The queries in the history before the current one. */
  left: string[] = [];
  /** Navigations end only when this is resolved. */
  delay: Promise<unknown> | undefined;
}

export const page = new FakePage();

export async function goto(address: string, { replace = false } = {}): Promise<void> {
  if (page.delay) await page.delay;
  if (!replace) page.left.push(page.url.search);
  page.url = new URL(address, page.url);
}
