import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { openDB } from 'idb'
import { beforeEach, describe, expect, it } from 'vitest'
import { OutboxDatabase } from './database'
import { memoryOutboxStore, OUTBOX_LIMIT, type OutboxEntry, OutboxFull } from './store'

const entry = (
  id: string,
  status: OutboxEntry['status'] = 'pending',
  roomId = 'room_1',
): OutboxEntry => ({ message: { id, roomId, content: `text ${id}`, timestamp: '' }, status })

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})

const STORES = {
  'in the browser': () => new OutboxDatabase().messagesOf('ann'),
  'in memory': () => memoryOutboxStore(),
}

describe.each(Object.entries(STORES))('a store %s', (_, create) => {
  const idsIn = async (store: ReturnType<typeof create>, room = 'room_1') =>
    (await store.load(room)).map(({ message }) => message.id)

  it('has the messages of a room in the order they were put first', async () => {
    const store = create()
    for (const id of ['b', 'a', 'c']) await store.put(entry(id))
    await store.put(entry('other', 'pending', 'room_2'))
    await store.put(entry('b', 'failed'))
    expect(await store.load('room_1')).toEqual([entry('b', 'failed'), entry('a'), entry('c')])
  })

  it('puts one behind the others where that is asked', async () => {
    const store = create()
    await store.put(entry('a'))
    await store.put(entry('b'))
    await store.put(entry('a'), 'end')
    expect(await idsIn(store)).toEqual(['b', 'a'])
  })

  it('does not bring back one that was removed and fails afterwards', async () => {
    const store = create()
    await store.put(entry('a'))
    await store.remove('a')
    await store.remove('unknown')
    await store.put(entry('a', 'failed'))
    expect(await idsIn(store)).toEqual([])
  })

  it('knows the rooms in which something waits to be sent', async () => {
    const store = create()
    await store.put(entry('a', 'pending', 'room_2'))
    await store.put(entry('b', 'pending', 'room_2'))
    await store.put(entry('c', 'pending', 'room_1'))
    await store.put(entry('d', 'pending', 'room_3'))
    await store.put(entry('d', 'failed', 'room_3'))
    expect(new Set(await store.rooms())).toEqual(new Set(['room_1', 'room_2']))
    expect(await store.rooms()).toHaveLength(2)
  })

  it('takes so many and no more, over all rooms', async () => {
    const store = create()
    for (let count = 0; count < OUTBOX_LIMIT; count += 1)
      await store.put(entry(`${count}`, 'pending', `room_${count % 3}`))
    await expect(store.put(entry('one more'))).rejects.toThrow(OutboxFull)
    await expect(store.put(entry('one more'), 'end')).rejects.toThrow(OutboxFull)
    expect(await idsIn(store)).not.toContain('one more')
    await store.put(entry('4', 'pending', 'room_1'), 'end')
    await store.put(entry('7', 'failed', 'room_1'))
    await store.remove('7')
    await store.put(entry('one more'))
    expect(await idsIn(store)).toContain('one more')
  })
})

describe('the database', () => {
  it('has done with a new message before it answers, since the tab may be closed meanwhile', async () => {
    const database = new OutboxDatabase()
    const store = database.messagesOf('ann')
    await store.load('room_1')
    const told: string[] = []
    const { add } = IDBObjectStore.prototype
    IDBObjectStore.prototype.add = function (this: IDBObjectStore, ...given) {
      const request = add.apply(this, given)
      request.addEventListener('success', () => told.push('answered'))
      const { commit } = this.transaction
      this.transaction.commit = function (this: IDBTransaction) {
        told.push('committed')
        commit.call(this)
      }
      return request
    }
    await store.put(entry('a'), 'end').finally(() => {
      IDBObjectStore.prototype.add = add
    })
    expect(told).toEqual(['committed', 'answered'])
    expect(await store.load('room_1')).toEqual([entry('a')])
  })

  it('keeps the users and servers apart', async () => {
    const database = new OutboxDatabase()
    await database.messagesOf('ann').put(entry('a'))
    await database.messagesOf('bob').put(entry('a'))
    await database.messagesOf('bob').remove('a')
    expect(await database.messagesOf('bob').load('room_1')).toEqual([])
    expect(await database.messagesOf('ann').load('room_1')).toEqual([entry('a')])
    expect(await database.messagesOf('bob').rooms()).toEqual([])
  })

  it('outlives the page', async () => {
    await new OutboxDatabase().messagesOf('ann').put(entry('a'))
    expect(await new OutboxDatabase().messagesOf('ann').load('room_1')).toEqual([entry('a')])
  })

  it('takes over what its first version kept', async () => {
    const old = await openDB('rejoinder', 1, {
      upgrade: (database) => {
        const messages = database.createObjectStore('messages', {
          keyPath: 'order',
          autoIncrement: true,
        })
        messages.createIndex('id', ['owner', 'id'], { unique: true })
        messages.createIndex('room', ['owner', 'roomId'])
        messages.createIndex('owner', 'owner')
      },
    })
    await old.put('messages', { owner: 'ann', id: 'a', roomId: 'room_1', entry: entry('a') })
    old.close()
    const database = new OutboxDatabase()
    expect(await database.messagesOf('ann').load('room_1')).toEqual([entry('a')])
    const lease = { name: 'x', holder: 'me', now: 0, until: 9, longest: 9 }
    expect(await database.leases.take(lease, false)).toBe(true)
  })

  it('gives way to a newer version, says that it cannot, and leaves what that keeps', async () => {
    const database = new OutboxDatabase()
    await database.messagesOf('ann').put(entry('a'))
    const newer = await openDB('rejoinder', 99)
    await expect(database.messagesOf('ann').put(entry('b'))).rejects.toThrow()
    expect(await newer.count('messages')).toBe(1)
    newer.close()
  })
})

describe('a lease', () => {
  const take = (
    { leases }: OutboxDatabase,
    holder: string,
    { now = 0, isForced = false }: { now?: number; isForced?: boolean } = {},
  ) => leases.take({ name: 'x', holder, now, until: now + 1_000, longest: 1_000 }, isForced)

  it('is one holder’s until it runs out, is given back, or somebody insists', async () => {
    const database = new OutboxDatabase()
    expect(await take(database, 'one')).toBe(true)
    expect(await take(database, 'two', { now: 999 })).toBe(false)
    expect(await take(database, 'one', { now: 500 })).toBe(true)
    expect(await take(database, 'two', { now: 1_499 })).toBe(false)
    expect(await take(database, 'two', { now: 1_500 })).toBe(true)
    await database.leases.drop('x', 'one')
    expect(await take(database, 'one', { now: 1_600 })).toBe(false)
    await database.leases.drop('x', 'two')
    expect(await take(database, 'one', { now: 1_600 })).toBe(true)
    expect(await take(database, 'two', { now: 1_600, isForced: true })).toBe(true)
    expect(await take(database, 'one', { now: 1_700 })).toBe(false)
  })

  it('of a clock that was set back since is none', async () => {
    const database = new OutboxDatabase()
    expect(await take(database, 'one', { now: 1_000_000 })).toBe(true)
    expect(await take(database, 'two', { now: 0 })).toBe(true)
  })
})
