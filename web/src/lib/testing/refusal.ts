import type { Problem } from '#lib/api/generated/index.ts';

/** An error response of the API, with a problem as its body. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    readonly more: Partial<Problem> = {},
    readonly headers: Record<string, string> = {},
  ) {
    super(reason);
  }

  /** The HTTP response. */
  get response(): Response {
    const { status, reason, message } = this;
    const problem = { type: 'about:blank', title: reason, status, detail: message, reason, request_id: 'request-1' };
    return new Response(JSON.stringify({ ...problem, ...this.more }), {
      status,
      headers: { 'Content-Type': 'application/problem+json', ...this.headers },
    });
  }
}
