import type { Problem, Violation } from './generated';

/**
 * Why a call of the API failed.
 *
 * `status` is the HTTP status, or 0 where the page itself gave up; `reason` is the API's own word, or with status 0
 * `OFFLINE`, `TIMEOUT` or `SESSION_NOT_READY`.
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

  /** Whether the same request may well work a moment later. */
  get isPassing(): boolean {
    return this.status === 0 || [502, 503, 504].includes(this.status);
  }
}

/** The error that an answer stands for; its body is a problem (RFC 9457), or not even that. */
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
