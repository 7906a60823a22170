import { ApiError } from '#lib/api/errors.ts';
import * as api from '#lib/api/session.ts';

/** `unknown` until the gateway was asked; `expired` when the session ended while the page was in use. */
export type SessionState = 'unknown' | 'absent' | 'present' | 'expired';

/** Who is signed in. What the page shows stays while a session is expired, so that nothing typed is lost. */
export class Session {
  state = $state<SessionState>('unknown');
  user = $state('');
  /** Why the gateway could not be asked, while the state is unknown. */
  error = $state<unknown>();

  constructor(private readonly calls: typeof api = api) {}

  /** Asks the gateway who is signed in. */
  async load(): Promise<void> {
    this.error = undefined;
    try {
      this.#begin((await this.calls.getSession()).user);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401)
        this.state = this.state === 'expired' ? 'expired' : 'absent';
      else this.error = error;
    }
  }

  /**
   * Signs in. Throws ApiError: 401 for a wrong name or password, 429 after too many attempts, 0 with the reason
   * SESSION_NOT_READY when the new session does not start in time.
   */
  async logIn(user: string, password: string): Promise<void> {
    this.#begin((await this.calls.logIn(user, password)).user);
  }

  /** Signs out, and ends the session at the gateway. Throws ApiError, and the user is then still signed in. */
  async logOut(): Promise<void> {
    await this.calls.logOut();
    this.state = 'absent';
    this.user = '';
  }

  /** To be called when the API answers that nobody is signed in. */
  expire(): void {
    if (this.state === 'present') this.state = 'expired';
  }

  #begin(user: string): void {
    this.user = user;
    this.state = 'present';
  }
}
