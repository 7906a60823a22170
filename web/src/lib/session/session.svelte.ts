import { ApiError } from '#lib/api/errors.ts';
import * as api from '#lib/api/session.ts';

/** `unknown` until the first response; `expired` if the session ended while the page was in use. */
export type SessionState = 'unknown' | 'absent' | 'present' | 'expired';

/** The session of the user. While it is expired, the page keeps its content, so that no input is lost. */
export class Session {
  state = $state<SessionState>('unknown');
  user = $state('');
  /** Why the session could not be loaded, while the state is unknown. */
  error = $state<unknown>();

  /** Called when a session begins, before it is shown. */
  onbegin: (user: string) => void = () => undefined;

  constructor(private readonly calls: typeof api = api) {}

  /** Load the current session from the gateway. */
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
   * Sign in. Throws ApiError: 401 for a wrong username or password, 429 after too many attempts, 0 with reason
   * SESSION_NOT_READY or NO_COOKIE if the new session does not start in time.
   */
  async logIn(user: string, password: string): Promise<void> {
    this.#begin((await this.calls.logIn(user, password)).user);
  }

  /** Sign out at the gateway. Throws ApiError; the user then stays signed in. */
  async logOut(): Promise<void> {
    await this.calls.logOut();
    this.end();
  }

  /** The user has signed out, here or in another tab. */
  end(): void {
    this.state = 'absent';
    this.user = '';
  }

  /** Call this when an API response has status 401. */
  expire(): void {
    if (this.state === 'present') this.state = 'expired';
  }

  #begin(user: string): void {
    this.onbegin(user);
    this.user = user;
    this.state = 'present';
  }
}
