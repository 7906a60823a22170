/**
 * The user that this browser is signed in as, for all its tabs.
 *
 * The tabs share the session cookie, but scripts cannot read it. Without this, a tab that still shows one user's page
 * could send their text in the session of another.
 */
const KEY = 'user';

/** Return the user; empty after a sign-out, null if it is unknown. */
export function signedInUser(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // no storage
  }
}

/** Store the user, or an empty name for a sign-out. The other tabs are notified. */
export function storeSignedInUser(user: string): void {
  try {
    localStorage.setItem(KEY, user);
  } catch {
    // Without storage, the other tabs notice it at their next request.
  }
}
