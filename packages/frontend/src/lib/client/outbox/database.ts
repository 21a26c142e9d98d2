import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb'
import { OUTBOX_LIMIT, type OutboxEntry, OutboxFull, type OutboxStore } from './store'
import type { LeaseTable } from './turns/lease'

interface KeptMessage {
  /** The place in the order of sending, over all rooms. */
  order?: number
  owner: string
  id: string
  roomId: string
  entry: OutboxEntry
}

interface KeptLease {
  name: string
  holder: string
  until: number
}

interface Tables extends DBSchema {
  messages: {
    key: number
    value: KeptMessage
    indexes: { id: [string, string]; room: [string, string]; owner: string }
  }
  leases: { key: string; value: KeptLease }
}

type Upgrade = (
  database: IDBPDatabase<Tables>,
  transaction: IDBPTransaction<Tables, ('messages' | 'leases')[], 'versionchange'>,
) => void

const NAME = 'rejoinder'

/** What leads from each version of the schema to the next; only ever added to. */
const UPGRADES: readonly Upgrade[] = [
  (database) => {
    const messages = database.createObjectStore('messages', {
      keyPath: 'order',
      autoIncrement: true,
    })
    messages.createIndex('id', ['owner', 'id'], { unique: true })
    messages.createIndex('room', ['owner', 'roomId'])
    messages.createIndex('owner', 'owner')
  },
  (database) => {
    database.createObjectStore('leases', { keyPath: 'name' })
  },
]

/** The browser's database for what is not sent yet; opened when it is first needed. */
export class OutboxDatabase {
  #opening: Promise<IDBPDatabase<Tables>> | null = null

  /** What one user wrote at one server. */
  messagesOf(owner: string): Required<OutboxStore> {
    return {
      load: async (roomId) => {
        const database = await this.#open()
        const kept = await database.getAllFromIndex('messages', 'room', [owner, roomId])
        return kept.map(({ entry }) => entry)
      },
      put: (entry, place) => this.#put(owner, entry, place),
      remove: async (id) => {
        const { messages, done } = await this.#change()
        const order = await messages.index('id').getKey([owner, id])
        if (order !== undefined) await messages.delete(order)
        await done
      },
      rooms: async () => {
        const database = await this.#open()
        const kept = await database.getAllFromIndex('messages', 'owner', owner)
        const pending = kept.filter(({ entry }) => entry.status === 'pending')
        return [...new Set(pending.map(({ roomId }) => roomId))]
      },
    }
  }

  /** Who may do something for a while, in all tabs. */
  get leases(): LeaseTable {
    return {
      take: async ({ name, holder, now, until, longest }, isForced) => {
        const database = await this.#open()
        const { store, done } = database.transaction('leases', 'readwrite')
        const held = await store.get(name)
        // One that lasts longer than any was given by a clock that has been set back since.
        const isTaken = held && held.holder !== holder && held.until > now
        const isFree = !isTaken || isForced || held.until > now + longest
        if (isFree) await store.put({ name, holder, until })
        await done
        return isFree
      },
      drop: async (name, holder) => {
        const database = await this.#open()
        const { store, done } = database.transaction('leases', 'readwrite')
        if ((await store.get(name))?.holder === holder) await store.delete(name)
        await done
      },
    }
  }

  async close(): Promise<void> {
    const opening = this.#opening
    this.#opening = null
    ;(await opening)?.close()
  }

  async #put(owner: string, entry: OutboxEntry, place: 'end' | undefined): Promise<void> {
    if (place === 'end' && entry.status === 'pending' && (await this.#add(owner, entry))) return
    const { messages, done } = await this.#change()
    const { id, roomId } = entry.message
    const order = await messages.index('id').getKey([owner, id])
    if (order === undefined && entry.status === 'failed') return done
    if (order === undefined && (await messages.index('owner').count(owner)) >= OUTBOX_LIMIT) {
      await done
      throw new OutboxFull()
    }
    if (order !== undefined && place === 'end') await messages.delete(order)
    const kept: KeptMessage = { owner, id, roomId, entry }
    if (order !== undefined && place !== 'end') kept.order = order
    await messages.put(kept)
    await done
  }

  /**
   * Writes a new one without a look at what is there, and is done with the transaction at once: the
   * tab may be closed in the next moment, and would take with it what still waits for an answer.
   * False if it is there already.
   */
  async #add(owner: string, entry: OutboxEntry): Promise<boolean> {
    const database = await this.#open()
    const transaction = database.transaction('messages', 'readwrite')
    const { id, roomId } = entry.message
    const adding = transaction.store.add({ owner, id, roomId, entry })
    const counting = transaction.store.index('owner').count(owner)
    transaction.commit()
    const [added, count, done] = await Promise.allSettled([adding, counting, transaction.done])
    if (added.status === 'rejected') {
      if (added.reason instanceof DOMException && added.reason.name === 'ConstraintError')
        return false
      throw added.reason
    }
    if (done.status === 'rejected') throw done.reason
    if (count.status === 'fulfilled' && count.value > OUTBOX_LIMIT) {
      await database.delete('messages', added.value)
      throw new OutboxFull()
    }
    return true
  }

  async #change() {
    const database = await this.#open()
    const transaction = database.transaction('messages', 'readwrite')
    // Whoever awaits a request that failed hears of it; the end of the transaction would tell it once more.
    transaction.done.catch(() => undefined)
    return { messages: transaction.store, done: transaction.done }
  }

  #open(): Promise<IDBPDatabase<Tables>> {
    this.#opening ??= this.#openNow()
    return this.#opening
  }

  async #openNow(): Promise<IDBPDatabase<Tables>> {
    const forget = () => {
      this.#opening = null
    }
    try {
      return await openDB<Tables>(NAME, UPGRADES.length, {
        upgrade: (database, from, _to, transaction) => {
          for (const upgrade of UPGRADES.slice(from)) upgrade(database, transaction)
        },
        // A newer page in another tab wants to upgrade; whoever needs it here opens it again.
        blocking: () => void this.close(),
        terminated: forget,
      })
    } catch (error) {
      forget()
      throw error
    }
  }
}
