/** Messages for screen readers about changes on the page. */
export class Announcer {
  message = $state('');

  /** Announce a message in the page's polite live region. */
  say(message: string): void {
    // A screen reader does not repeat an unchanged message, so a repeated one gets a trailing space.
    this.message = message === this.message ? `${message}\u00a0` : message;
  }
}
