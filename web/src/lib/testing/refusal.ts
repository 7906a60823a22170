import type { Problem } from '#lib/api/generated/index.ts';

/** A refusal of the API, as its problem tells it. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    readonly more: Partial<Problem> = {},
    readonly headers: Record<string, string> = {},
  ) {
    super(reason);
  }

  /** The answer that carries it. */
  get response(): Response {
    const { status, reason, message } = this;
    const problem = { type: 'about:blank', title: reason, status, detail: message, reason, request_id: 'request-1' };
    return new Response(JSON.stringify({ ...problem, ...this.more }), {
      status,
      headers: { 'Content-Type': 'application/problem+json', ...this.headers },
    });
  }
}
