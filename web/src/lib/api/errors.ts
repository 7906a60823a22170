import type { Problem, Violation } from './generated';

/**
 * A failed call of the API.
 *
 * `status` is the HTTP status, or 0 if there was no usable response. `reason` comes from the API; with status 0 it is
 * `OFFLINE`, `TIMEOUT`, `SESSION_NOT_READY` or `NO_COOKIE`.
 */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    detail: string,
    readonly requestId: string = '',
    readonly violations: readonly Violation[] = [],
    readonly retryAfterSeconds: number | undefined = undefined,
  ) {
    super(detail);
    this.name = 'ApiError';
  }

  /** Whether the error is temporary, so that a retry of the same request may succeed. */
  get isPassing(): boolean {
    return this.status === 0 || [502, 503, 504].includes(this.status);
  }
}

/** The error for a response. Its body is a problem (RFC 9457), or anything else, such as a proxy's HTML page. */
export async function errorOf(response: Response): Promise<ApiError> {
  const problem: Partial<Problem> = (await response.json().catch(() => null)) ?? {};
  return new ApiError(
    response.status,
    problem.reason ?? 'UNKNOWN',
    problem.detail ?? response.statusText,
    problem.request_id ?? response.headers.get('X-Request-ID') ?? '',
    problem.violations ?? [],
    secondsOf(response.headers.get('Retry-After')),
  );
}

function secondsOf(retryAfter: string | null): number | undefined {
  if (!retryAfter) return undefined;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : undefined;
}
