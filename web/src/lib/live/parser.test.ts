import { describe, expect, it } from 'vitest';
import { type Block, EventStreamParser } from './parser';

const encoder = new TextEncoder();

function blocksOf(...chunks: (string | Uint8Array)[]): Block[] {
  const parser = new EventStreamParser(1_000);
  return chunks.flatMap((chunk) => parser.read(typeof chunk === 'string' ? encoder.encode(chunk) : chunk));
}

function event(name: string, data: string, id?: string): Block {
  return { id, event: { name, data } };
}

describe('the parser', () => {
  it('parses an event with its name, data and ID', () => {
    expect(blocksOf('id: 1\nevent: task.created\ndata: {}\n\n')).toEqual([event('task.created', '{}', '1')]);
  });

  it.each(['\n', '\r', '\r\n'])('accepts %j as the end of a line', (end) => {
    expect(blocksOf(['event: a', 'data: 1', '', 'data: 2', '', ''].join(end))).toEqual([
      event('a', '1'),
      event('message', '2'),
    ]);
  });

  it('removes exactly one space after the colon', () => {
    expect(blocksOf('data:1\n\ndata: 2\n\ndata:  3\n\n')).toEqual(
      ['1', '2', ' 3'].map((data) => event('message', data)),
    );
  });

  it('joins lines of data with line feeds, including empty ones', () => {
    expect(blocksOf('data: a\ndata\ndata:\ndata: b\n\n')).toEqual([event('message', 'a\n\n\nb')]);
    expect(blocksOf('data\n\n')).toEqual([event('message', '')]);
  });

  it('returns no event without data, and resets the event name', () => {
    expect(blocksOf('event: a\n\ndata: 1\n\n')).toEqual([event('message', '1')]);
  });

  it('reports the ID of a block without data', () => {
    expect(blocksOf(': heartbeat\nid: 7\n\n')).toEqual([{ id: '7', event: undefined }]);
  });

  it('distinguishes an empty ID from an absent one', () => {
    expect(blocksOf('id\n\n')).toEqual([{ id: '', event: undefined }]);
  });

  it('ignores an ID that contains NUL', () => {
    expect(blocksOf('id: 1\nid: 2\0\ndata: x\n\n')).toEqual([event('message', 'x', '1')]);
  });

  it('ignores comments and unknown fields', () => {
    expect(blocksOf(': data: 1\ndatum: 2\n Data: 3\n\n')).toEqual([]);
  });

  it('removes a byte order mark only at the beginning', () => {
    expect(blocksOf('\uFEFFdata: 1\n\n\uFEFFdata: 2\n\n')).toEqual([event('message', '1')]);
  });

  it('drops an incomplete block at the end of the stream', () => {
    expect(blocksOf('data: 1\n\nid: 2\ndata: 2\n')).toEqual([event('message', '1')]);
  });

  it('ends a line at a CR immediately, and not again at an LF in the next chunk', () => {
    expect(blocksOf('data: 1\r', '\ndata: 2\r', '\n\r', '\ndata: 3\n\n')).toEqual([
      event('message', '1\n2'),
      event('message', '3'),
    ]);
    expect(blocksOf('data: 1\r\r')).toEqual([event('message', '1')]);
  });

  it('accepts a retry only if it consists of digits', () => {
    const parser = new EventStreamParser(1_000);
    parser.read(encoder.encode('retry: 2500\nretry: 1e3\nretry: -1\nretry:\nretry: 1.5\n'));
    expect(parser.retry).toBe(2500);
  });

  it('returns the same wherever the stream is split, even within a character', () => {
    const sample = encoder.encode(
      '\uFEFFretry: 4644\r\n\r\n: heartbeat\rid: 1~0\r\rid: 1~1\r\nevent: täsk\ndata: {"a":"€ 💡"}\r\ndata:\n\ndata: 2\n\r\n',
    );
    const expected = [{ id: '1~0', event: undefined }, event('täsk', '{"a":"€ 💡"}\n', '1~1'), event('message', '2')];
    for (let cut = 0; cut <= sample.length; cut++) {
      expect(blocksOf(sample.slice(0, cut), sample.slice(cut)), `cut at ${cut}`).toEqual(expected);
    }
    expect(blocksOf(...[...sample].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it('rejects a line or a block that exceeds the limit', () => {
    expect(() => blocksOf('x'.repeat(600), 'x'.repeat(600))).toThrow(RangeError);
    expect(() => blocksOf(...Array<string>(300).fill('data: 1\n'), ...Array<string>(300).fill('data: 2\n'))).toThrow(
      RangeError,
    );
    expect(blocksOf(...Array<string>(300).fill('data: 123456\n\n'))).toHaveLength(300);
  });
});
