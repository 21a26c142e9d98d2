import { describe, expect, it, vi } from 'vitest'
import type { MessageAck } from '../../types/socket'
import { ManualClock, settle } from '../testing/manualClock'
import { Outbox } from './outbox'
import { memoryOutboxStore, OUTBOX_LIMIT } from './store'

const ROOM = 'room_1'

function stage() {
  const clock = new ManualClock()
  const store = memoryOutboxStore()
  const sent: { id: string; at: number; reply: (reply: MessageAck) => void }[] = []
  const onFailed = vi.fn()
  const start = clock.now()
  const create = () =>
    new Outbox({
      clock,
      store,
      settings: { ackTimeout: 5_000, maxRetries: 2, retryDelay: 1_000, retryDelayMax: 5_000 },
      transmit: ({ id }, reply) => sent.push({ id, at: clock.now() - start, reply }),
      onQueued: vi.fn(),
      onStored: vi.fn(),
      onFailed: (id, error) => onFailed(id, error.code),
    })
  const outbox = create()
  return {
    clock,
    store,
    outbox,
    create,
    onFailed,
    ids: () => sent.map(({ id }) => id),
    times: () => sent.map(({ at }) => at),
    last: () => sent.at(-1) ?? { reply: () => undefined },
    add: (id: string) => outbox.add({ id, roomId: ROOM, content: id, timestamp: '' }),
  }
}

describe('sending', () => {
  it('sends one at a time, in order', async () => {
    const { outbox, add, ids, last } = stage()
    outbox.resume()
    const done = [add('a'), add('b'), add('c')]
    expect(ids()).toEqual(['a'])
    last().reply({ success: true })
    expect(ids()).toEqual(['a', 'b'])
    last().reply({ success: true })
    last().reply({ success: true })
    expect(await Promise.all(done)).toEqual([true, true, true])
  })

  it('sends nothing before it may, and does not wait for an answer meanwhile', async () => {
    const { outbox, add, ids, clock, onFailed } = stage()
    void add('a')
    await clock.advance(600_000)
    expect(ids()).toEqual([])
    expect(onFailed).not.toHaveBeenCalled()
    outbox.resume()
    expect(ids()).toEqual(['a'])
  })
})

describe('too many', () => {
  it('are refused, and those that wait are kept', async () => {
    const { outbox, add, ids, last, onFailed } = stage()
    const waiting = Array.from({ length: OUTBOX_LIMIT }, (_, place) => add(`${place}`))
    expect(await add('one more')).toBe(false)
    expect(onFailed).toHaveBeenCalledExactlyOnceWith('one more', 'unavailable')
    outbox.resume()
    for (const _ of waiting) last().reply({ success: true })
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([true]))
    expect(ids()).not.toContain('one more')
  })
})

describe('no answer', () => {
  it('sends again after 5 s, twice, and then fails', async () => {
    const { outbox, add, ids, times, clock, onFailed } = stage()
    outbox.resume()
    const done = add('a')
    await clock.advance(15_000)
    expect(await done).toBe(false)
    expect(ids()).toEqual(['a', 'a', 'a'])
    expect(times()).toEqual([0, 5_000, 10_000])
    expect(onFailed).toHaveBeenCalledExactlyOnceWith('a', 'timeout')
    expect(clock.planned).toBe(0)
  })

  it('takes an answer that comes late', async () => {
    const { outbox, add, ids, clock, last } = stage()
    outbox.resume()
    const done = add('a')
    const first = last()
    await clock.advance(5_000)
    expect(ids()).toEqual(['a', 'a'])
    first.reply({ success: true })
    expect(await done).toBe(true)
    await clock.advance(60_000)
    expect(ids()).toEqual(['a', 'a'])
  })

  it('goes on with the next after a failure', async () => {
    const { outbox, add, ids, clock } = stage()
    outbox.resume()
    void add('a')
    void add('b')
    await clock.advance(15_000)
    expect(ids()).toEqual(['a', 'a', 'a', 'b'])
  })
})

describe('a refusal', () => {
  it.each([
    [{ code: 'rate_limited', retryAfterMs: 700 }, 700],
    [{ code: 'unavailable', retryAfterMs: 3_000 }, 3_000],
    [{ code: 'unavailable' }, 1_000],
  ] as const)('that passes, %j, is waited out for %i ms', async (reply, delay) => {
    const { outbox, add, times, clock, last } = stage()
    outbox.resume()
    const done = add('a')
    last().reply({ success: false, ...reply })
    await clock.advance(delay)
    expect(times()).toEqual([0, delay])
    last().reply({ success: true })
    expect(await done).toBe(true)
  })

  it.each([
    'invalid_payload',
    'forbidden',
    'not_in_room',
    'conflict',
    'too_large',
    'internal',
  ] as const)('that does not pass, %s, is final', async (code) => {
    const { outbox, add, ids, clock, last, onFailed } = stage()
    outbox.resume()
    const done = add('a')
    last().reply({ success: false, code })
    expect(await done).toBe(false)
    await clock.advance(60_000)
    expect(ids()).toEqual(['a'])
    expect(onFailed).toHaveBeenCalledExactlyOnceWith('a', code)
  })

  it('of an attempt that was given up counts nothing', async () => {
    const { outbox, add, clock, last, onFailed } = stage()
    outbox.resume()
    void add('a')
    const first = last()
    await clock.advance(5_000)
    first.reply({ success: false, code: 'forbidden' })
    expect(onFailed).not.toHaveBeenCalled()
  })
})

describe('waiting as told', () => {
  it.each(['rate_limited', 'unavailable'] as const)('for %s uses up no retry', async (code) => {
    const { outbox, add, ids, clock, last, onFailed } = stage()
    outbox.resume()
    const done = add('a')
    for (let count = 1; count <= 20; count += 1) {
      last().reply({ success: false, code, retryAfterMs: 1_000 })
      await clock.advance(1_000)
      expect(ids()).toHaveLength(count + 1)
    }
    last().reply({ success: true })
    expect(await done).toBe(true)
    expect(onFailed).not.toHaveBeenCalled()
  })

  it('ends where the server says no more than that it cannot', async () => {
    const { outbox, add, ids, clock, last, onFailed } = stage()
    outbox.resume()
    void add('a')
    for (const delay of [1_000, 2_000, 0]) {
      last().reply({ success: false, code: 'unavailable' })
      await clock.advance(delay)
    }
    expect(ids()).toHaveLength(3)
    expect(onFailed).toHaveBeenCalledExactlyOnceWith('a', 'unavailable')
  })
})

describe('an interruption', () => {
  it('uses up no retry', async () => {
    const { outbox, add, ids, clock, onFailed } = stage()
    outbox.resume()
    void add('a')
    for (let cut = 0; cut < 5; cut += 1) {
      await clock.advance(4_000)
      outbox.pause()
      await clock.advance(60_000)
      outbox.resume()
    }
    expect(ids()).toEqual(new Array<string>(6).fill('a'))
    expect(onFailed).not.toHaveBeenCalled()
  })

  it('gives back the retries of what was on its way', async () => {
    const { outbox, add, ids, clock, onFailed } = stage()
    outbox.resume()
    void add('a')
    await clock.advance(14_000)
    outbox.pause()
    outbox.resume()
    await clock.advance(14_999)
    expect(ids()).toHaveLength(6)
    expect(onFailed).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(onFailed).toHaveBeenCalledExactlyOnceWith('a', 'timeout')
  })

  it('that comes with one message each time makes way for the others in the end', async () => {
    const { outbox, add, ids, onFailed } = stage()
    void add('breaks the connection')
    void add('b')
    for (let cut = 0; cut < 10; cut += 1) {
      outbox.resume()
      outbox.pause()
    }
    expect(onFailed).not.toHaveBeenCalled()
    outbox.resume()
    expect(onFailed).toHaveBeenCalledExactlyOnceWith('breaks the connection', 'timeout')
    expect(ids().at(-1)).toBe('b')
  })

  it('does not shorten what the server told to wait', async () => {
    const { outbox, add, ids, clock, last } = stage()
    outbox.resume()
    void add('a')
    last().reply({ success: false, code: 'rate_limited', retryAfterMs: 20_000 })
    await clock.advance(5_000)
    outbox.pause()
    await clock.advance(5_000)
    outbox.resume()
    await clock.advance(9_999)
    expect(ids()).toEqual(['a'])
    await clock.advance(1)
    expect(ids()).toEqual(['a', 'a'])
  })

  it('leaves the order as it is', () => {
    const { outbox, add, ids } = stage()
    outbox.resume()
    void add('a')
    void add('b')
    outbox.pause()
    void add('c')
    outbox.resume()
    outbox.confirm('a', {})
    outbox.confirm('b', {})
    expect(ids()).toEqual(['a', 'a', 'b', 'c'])
  })
})

describe('retrying', () => {
  it('sends with the same id, behind the others, with all its retries', async () => {
    const { outbox, add, ids, clock, last } = stage()
    outbox.resume()
    void add('a')
    await clock.advance(15_000)
    void add('b')
    const done = outbox.retry('a')
    last().reply({ success: true })
    await clock.advance(15_000)
    expect(await done).toBe(false)
    expect(ids()).toEqual(['a', 'a', 'a', 'b', 'a', 'a', 'a'])
  })

  it('waits for one that is on its way, and knows none that is not there', async () => {
    const { outbox, add, ids, last } = stage()
    outbox.resume()
    void add('a')
    const done = outbox.retry('a')
    last().reply({ success: true })
    expect(await done).toBe(true)
    expect(await outbox.retry('b')).toBe(false)
    expect(ids()).toEqual(['a'])
  })
})

describe('discarding', () => {
  it('gives up a message, and goes on with the next', async () => {
    const { outbox, add, ids, store } = stage()
    outbox.resume()
    const done = add('a')
    void add('b')
    outbox.discard('a')
    expect(await done).toBe(false)
    expect(ids()).toEqual(['a', 'b'])
    expect((await store.load(ROOM)).map(({ message }) => message.id)).toEqual(['b'])
  })
})

describe('the store', () => {
  it('has what was sent again behind the others', async () => {
    const { outbox, add, clock, store } = stage()
    await outbox.open(ROOM)
    outbox.resume()
    void add('a')
    void add('b')
    await clock.advance(15_000)
    void outbox.retry('a')
    await settle()
    expect((await store.load(ROOM)).map(({ message }) => message.id)).toEqual(['b', 'a'])
  })

  it('keeps for the next time what the server does not have', async () => {
    const { outbox, add, ids, create, clock, store } = stage()
    outbox.resume()
    void add('a')
    await clock.advance(15_000)
    void add('b')
    const waiting = add('c')
    outbox.close()
    expect(await waiting).toBe(false)

    const next = create()
    void next.open(ROOM)
    await settle()
    next.resume()
    expect(ids()).toEqual(['a', 'a', 'a', 'b', 'b'])
    next.confirm('b', {})
    expect((await store.load(ROOM)).map(({ message, status }) => [message.id, status])).toEqual([
      ['a', 'failed'],
      ['c', 'pending'],
    ])
  })

  it('tells after the page was loaded anew why a message failed', async () => {
    const { outbox, add, last, create, onFailed } = stage()
    await outbox.open(ROOM)
    outbox.resume()
    void add('a')
    last().reply({ success: false, code: 'too_large', error: 'Shorten it.' })
    await settle()
    outbox.close()
    onFailed.mockClear()

    const next = create()
    await next.open(ROOM)
    expect(onFailed.mock.calls).toEqual([['a', 'too_large']])
    next.resume()
    void next.retry('a')
    last().reply({ success: true })
    await settle()
    next.close()
    await create().open(ROOM)
    expect(onFailed).toHaveBeenCalledTimes(1)
  })
})
