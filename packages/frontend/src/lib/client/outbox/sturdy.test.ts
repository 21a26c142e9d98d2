import { describe, expect, it } from 'vitest'
import { ManualClock, settle } from '../testing/manualClock'
import { memoryOutboxStore, type OutboxEntry, OutboxFull } from './store'
import { SturdyStore } from './sturdy'

const entry = (id: string, status: OutboxEntry['status'] = 'pending'): OutboxEntry => ({
  message: { id, roomId: 'room_1', content: id, timestamp: '' },
  status,
})

/** A store on one that does what a test wants before it does its work. */
function stage() {
  const clock = new ManualClock()
  const inner = memoryOutboxStore()
  const trouble: { before: () => Promise<void> } = { before: () => Promise.resolve() }
  const troubled = <A extends unknown[], T>(action: (...args: A) => Promise<T>) => {
    return async (...args: A): Promise<T> => {
      await trouble.before()
      return action(...args)
    }
  }
  const store = new SturdyStore(
    {
      load: troubled(inner.load),
      put: troubled(inner.put),
      remove: troubled(inner.remove),
      rooms: troubled(inner.rooms),
    },
    clock,
  )
  const ids = async (from: typeof inner | SturdyStore = store) =>
    (await from.load('room_1')).map(({ message }) => message.id)
  const refuse = () => Promise.reject(new DOMException('full', 'QuotaExceededError'))
  return { clock, inner, trouble, store, ids, refuse, isKept: () => store.isKept.getSnapshot() }
}

describe('a store that works', () => {
  it('is used, and nothing else', async () => {
    const { store, inner, ids, isKept } = stage()
    await store.put(entry('a'))
    expect([await ids(inner), await ids(), isKept()]).toEqual([['a'], ['a'], true])
  })

  it('may be full, which is told', async () => {
    const { store, trouble, ids } = stage()
    trouble.before = () => Promise.reject(new OutboxFull())
    await expect(store.put(entry('a'))).rejects.toThrow(OutboxFull)
    trouble.before = () => Promise.resolve()
    expect(await ids()).toEqual([])
  })
})

describe('a store that refuses', () => {
  it('is replaced by memory, which is said', async () => {
    const { store, trouble, ids, refuse, isKept } = stage()
    trouble.before = refuse
    await store.put(entry('a'))
    await store.put(entry('b'))
    await store.put(entry('b', 'failed'))
    expect(await ids()).toEqual(['a', 'b'])
    expect(await store.rooms()).toEqual(['room_1'])
    expect(isKept()).toBe(false)
    await store.remove('a')
    expect(await ids()).toEqual(['b'])
  })

  it('for a while has all again afterwards, in the end', async () => {
    const { store, inner, trouble, ids, refuse, isKept } = stage()
    await store.put(entry('a'))
    trouble.before = refuse
    await store.put(entry('b'))
    trouble.before = () => Promise.resolve()
    expect(await ids()).toEqual(['a', 'b'])
    await store.put(entry('c'))
    expect(isKept()).toBe(false)
    await store.put(entry('b', 'pending'))
    expect([await ids(inner), isKept()]).toEqual([['a', 'c', 'b'], true])
  })

  it('does not bring back what was removed, when it fails afterwards', async () => {
    const { store, trouble, ids, refuse } = stage()
    trouble.before = refuse
    await store.put(entry('a'))
    await store.remove('a')
    await store.put(entry('a', 'failed'))
    expect(await ids()).toEqual([])
  })
})

describe('a store that hangs', () => {
  it('is waited for once, and used again when it answers', async () => {
    const { store, inner, trouble, ids, clock, isKept } = stage()
    let answer = () => undefined as unknown
    trouble.before = () => new Promise<void>((resolve) => (answer = resolve))
    const first = store.put(entry('a'))
    await clock.advance(3_000)
    await first
    await store.put(entry('b'))
    expect([await ids(), isKept()]).toEqual([['a', 'b'], false])
    trouble.before = () => Promise.resolve()
    answer()
    await settle()
    await store.put(entry('c'))
    expect(await ids(inner)).toEqual(['a', 'c'])
    expect(await ids()).toEqual(['c', 'a', 'b'])
    expect(clock.planned).toBe(0)
  })
})
