/**
 * The messages of a room that the server does not have yet: in order, kept in a store, and shared
 * with the other tabs, of which one sends. How one of them is sent stands in `sending.ts`.
 */
import type { StoredPosition } from '../chat/actions'
import type { OutgoingMessage } from '../chat/state'
import type { ChatError } from '../errors'
import { createItem, entryOf, type Item, reasonOf, sentElsewhere, tooMany } from './item'
import { type Mailbox, ownMailbox } from './mailbox'
import { type NewsLine, type OutboxNews, roomOf } from './news'
import { Queue } from './queue'
import { Sending, type SendingParts } from './sending'
import { Share } from './share'
import { OUTBOX_LIMIT, type OutboxEntry, OutboxFull, type OutboxStore } from './store'

export interface OutboxParts extends SendingParts {
  /** Where messages are kept until a mailbox is opened. */
  store: OutboxStore
  onQueued: (entry: OutboxEntry) => void
  onStored: (id: string, stored: StoredPosition) => void
  onFailed: (id: string, error: ChatError) => void
  /** Somebody else has sent it, or given it up. */
  onGone?: (id: string) => void
  /** How much room there is has changed. */
  onFill?: (isFull: boolean) => void
}

export class Outbox {
  readonly #parts: OutboxParts
  readonly #sending: Sending
  readonly #share: Share
  readonly #queue = new Queue()
  #mailbox: Mailbox
  #line: NewsLine | null = null
  #isFlowing = false
  #roomId: string | null = null
  #isRefused = false
  #isLoaded = false
  readonly #idle = new Set<() => void>()

  constructor(parts: OutboxParts) {
    this.#parts = parts
    this.#share = new Share({
      clock: parts.clock,
      patienceMs: parts.settings.ackTimeout,
      isWaiting: () => this.#queue.next() !== undefined,
      prepare: () => (this.#mailbox.isShared ? this.#load() : null),
      onOurs: () => this.#pump(),
      onLost: () => this.#sending.stop(),
    })
    this.#mailbox = ownMailbox(parts.store)
    this.#sending = new Sending({
      ...parts,
      onStored: (id, stored) => this.confirm(id, stored),
      onFailed: (item, error) => this.#fail(item, error),
      onBusy: ({ message }, ms) => this.#tell({ type: 'busy', roomId: message.roomId, ms }),
    })
  }

  /** Takes up what was kept for a room. */
  open(roomId: string, mailbox?: Mailbox): Promise<void> {
    this.#mailbox = mailbox ?? ownMailbox(this.#parts.store)
    this.#roomId = roomId
    this.#isLoaded = false
    this.#line = this.#mailbox.openLine((news) => {
      if (roomOf(news) === this.#roomId) this.#hear(news)
    })
    return this.#load()
  }

  /** The same room in another mailbox: now it is known whose messages these are. */
  move(mailbox: Mailbox): Promise<void> {
    const isFlowing = this.#isFlowing
    const roomId = this.#roomId
    this.pause()
    this.#line?.close()
    if (roomId === null) return Promise.resolve()
    const opening = this.open(roomId, mailbox)
    for (const item of this.#queue.all()) this.#keep(item)
    if (isFlowing) this.resume()
    return opening
  }

  /** What is not sent yet stays in the store; nobody waits for it any more. */
  close(): void {
    this.pause()
    const left = this.#queue.next()
    // Somebody else may send it.
    if (left) this.#tell({ type: 'put', entry: entryOf(left) })
    this.#line?.close()
    this.#line = null
    this.#roomId = null
    this.#isLoaded = false
    for (const item of this.#queue.all()) item.finish(false)
    this.#queue.clear()
    this.#changed()
  }

  /** Resolves once nothing waits to be sent. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.add(resolve)
      this.#changed()
    })
  }

  add(message: OutgoingMessage): Promise<boolean> {
    if (this.#queue.size >= OUTBOX_LIMIT) {
      this.#parts.onFailed(message.id, tooMany())
      return Promise.resolve(false)
    }
    const item = createItem({ message, status: 'pending' }, false)
    this.#put(item)
    this.#keep(item, 'end')
    this.#pump()
    return item.done
  }

  /** Once more, behind the others; one that is on its way is only waited for. */
  retry(id: string): Promise<boolean> {
    const item = this.#queue.get(id)
    if (!item) return Promise.resolve(false)
    if (item.status === 'pending') return item.done
    this.#queue.take(id)
    return this.add(item.message)
  }

  discard(id: string): void {
    const item = this.#remove(id)
    if (!item) return
    this.#withdraw(item)
    item.finish(false)
    this.#pump()
  }

  /** From now on messages can reach the server. */
  resume(): void {
    this.#isFlowing = true
    this.#share.join(this.#mailbox.turns, this.#roomId ?? '')
    this.#pump()
  }

  /** Nothing reaches the server; what was being sent will be sent again, and counts no failure. */
  pause(): void {
    this.#isFlowing = false
    this.#sending.cut()
    this.#share.leave()
  }

  /** The server has it, whichever way that became known. */
  confirm(id: string, stored: StoredPosition): void {
    const item = this.#remove(id)
    if (!item) return
    this.#withdraw(item, stored)
    this.#parts.onStored(id, stored)
    item.finish(true)
    this.#pump()
  }

  // --- what others tell ---

  #hear(news: OutboxNews): void {
    if (news.type === 'busy') this.#share.leaveAlone(news.ms)
    else if (news.type === 'gone') this.#vanish(news.id, news.stored)
    // Who sends goes by what is kept, which has the order.
    else if (this.#share.isOurs && news.entry.status === 'pending') void this.#load()
    else this.#mirror(news.entry)
  }

  #mirror(entry: OutboxEntry): void {
    const { id } = entry.message
    const item = this.#queue.get(id)
    if (!item) {
      this.#put(createItem(entry))
    } else if (entry.status === 'failed' && item.status === 'pending') {
      this.#settleFailed(item, sentElsewhere())
    } else if (entry.status === 'pending' && item.status === 'failed') {
      this.#put(createItem(entry))
    }
    this.#pump()
  }

  #vanish(id: string, stored: StoredPosition | undefined): void {
    const item = this.#remove(id)
    if (!item) return
    if (stored) this.#parts.onStored(id, stored)
    else this.#parts.onGone?.(id)
    item.finish(stored !== undefined)
    this.#pump()
  }

  // --- what is kept ---

  /** Brings what is held in line with what is kept: others may have changed it. */
  async #load(): Promise<void> {
    const roomId = this.#roomId
    const mailbox = this.#mailbox
    if (roomId === null) return
    const lost = await this.#queue.read(
      () => mailbox.store.load(roomId),
      () => this.#roomId === roomId && this.#mailbox === mailbox,
    )
    if (!lost) return
    for (const item of this.#queue.all()) this.#parts.onQueued(item)
    if (!this.#isLoaded) this.#tellWhy()
    for (const item of lost) {
      this.#sending.release(item)
      this.#parts.onGone?.(item.message.id)
      item.finish(false)
    }
    this.#isLoaded = true
    this.#pump()
  }

  /** Of those that failed before the page was loaded the last one's reason is told again. */
  #tellWhy(): void {
    const failed = [...this.#queue.all()].findLast((item) => reasonOf(item) !== null)
    const reason = failed && reasonOf(failed)
    if (failed && reason) this.#parts.onFailed(failed.message.id, reason)
  }

  #keep(item: Item, place?: 'end'): void {
    this.#queue.touch(item.message.id)
    this.#mailbox.store.put(entryOf(item), place).then(
      () => {
        item.isKept = true
        if (this.#queue.get(item.message.id) === item)
          this.#tell({ type: 'put', entry: entryOf(item) })
      },
      (error: unknown) => {
        if (error instanceof OutboxFull) this.#refuse(item)
      },
    )
  }

  /** The other rooms' messages fill the store. */
  #refuse(item: Item): void {
    if (this.#queue.get(item.message.id) !== item || item.status === 'failed') return
    this.#isRefused = true
    this.#settleFailed(item, tooMany())
    this.#pump()
  }

  #withdraw(item: Item, stored?: StoredPosition): void {
    const { id, roomId } = item.message
    this.#isRefused = false
    void this.#mailbox.store.remove(id)
    this.#tell({ type: 'gone', roomId, id, ...(stored ? { stored } : {}) })
  }

  #tell(news: OutboxNews): void {
    this.#line?.tell(news)
  }

  // --- sending ---

  #pump(): void {
    this.#changed()
    if (!this.#isFlowing || this.#sending.item) return
    if (!this.#share.isOurs) {
      this.#share.watch()
      return
    }
    const next = this.#queue.next()
    if (next) this.#sending.begin(next)
  }

  #fail(item: Item, error: ChatError): void {
    this.#settleFailed(item, error)
    this.#keep(item)
    this.#pump()
  }

  #settleFailed(item: Item, error: ChatError): void {
    this.#sending.release(item)
    item.status = 'failed'
    item.reason = { code: error.code, message: error.message }
    this.#parts.onFailed(item.message.id, error)
    item.finish(false)
  }

  #put(item: Item): void {
    this.#queue.add(item)
    this.#parts.onQueued(item)
  }

  #remove(id: string): Item | undefined {
    const item = this.#queue.take(id)
    if (item) this.#sending.release(item)
    return item
  }

  #changed(): void {
    this.#parts.onFill?.(this.#isRefused || this.#queue.size >= OUTBOX_LIMIT)
    if (!this.#isLoaded || this.#queue.next()) return
    for (const resolve of this.#idle) resolve()
    this.#idle.clear()
  }
}
