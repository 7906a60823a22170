// @vitest-environment node
// The fakes behave like the real locks and channels, which Node has too.
import { describe, expect, it } from 'vitest';
import type { Channel, Locks } from '#lib/live/dependencies.ts';
import { FakeChannels } from './channels';
import { FakeLocks } from './locks';

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe.each<[string, Locks]>([
  ['fake', new FakeLocks().of({})],
  ['real', navigator.locks],
])('%s locks', (kind, locks) => {
  it('are granted one at a time, in the order of the requests', async () => {
    const order: string[] = [];
    const releases: (() => void)[] = [];
    const requests = ['a', 'b', 'c'].map((owner) =>
      locks.request(`${kind}-order`, {}, () => {
        order.push(owner);
        return new Promise<void>((resolve) => releases.push(resolve));
      }),
    );
    await settled();
    expect(order).toEqual(['a']);
    releases[0]?.();
    await settled();
    expect(order).toEqual(['a', 'b']);
    releases[1]?.();
    await settled();
    releases[2]?.();
    await Promise.all(requests);
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('are not granted to an aborted request', async () => {
    const queue = new AbortController();
    let release!: () => void;
    const first = locks.request(`${kind}-abort`, {}, () => new Promise<void>((resolve) => (release = resolve)));
    const second = locks.request(`${kind}-abort`, { signal: queue.signal }, () => Promise.reject(new Error('granted')));
    await settled();
    queue.abort();
    await expect(second).rejects.toMatchObject({ name: 'AbortError' });
    release();
    await first;
  });

  it('can be stolen before all waiting requests, and the holder is notified', async () => {
    const order: string[] = [];
    const holder = locks.request(`${kind}-steal`, {}, () => new Promise<void>(() => undefined));
    const holderLearns = expect(holder).rejects.toMatchObject({ name: 'AbortError' });
    await settled();
    const waiting = locks.request(`${kind}-steal`, {}, async () => void order.push('waiting'));
    await locks.request(`${kind}-steal`, { steal: true }, async () => void order.push('thief'));
    await holderLearns;
    await waiting;
    expect(order).toEqual(['thief', 'waiting']);
  });
});

describe.each<[string, (name: string) => Channel]>([
  [
    'fake',
    (
      (channels) => (name: string) =>
        channels.open(name)
    )(new FakeChannels()),
  ],
  ['real', (name) => new BroadcastChannel(name)],
])('%s channels', (_, open) => {
  it('send copies in order to the other open channels of the same name', async () => {
    const heard: string[] = [];
    const [one, two, other, closed] = ['a', 'a', 'b', 'a'].map((name, place) => {
      const channel = open(name);
      channel.onmessage = ({ data }) => heard.push(`${place}:${data.n}`);
      return channel;
    }) as [Channel, Channel, Channel, Channel];
    closed.close();
    const message = { n: 1 };
    one.postMessage(message);
    message.n = 2;
    one.postMessage(message);
    await settled();
    expect(heard).toEqual(['1:1', '1:2']);
    expect(() => closed.postMessage({})).toThrow();
    for (const channel of [one, two, other]) channel.close();
  });
});
