/** What is said to those who do not see the page change. */
export class Announcer {
  message = $state('');

  /** Says it when nothing else is being said. */
  say(message: string): void {
    // The same words twice are read once, unless they differ.
    this.message = message === this.message ? `${message}\u00a0` : message;
  }
}
