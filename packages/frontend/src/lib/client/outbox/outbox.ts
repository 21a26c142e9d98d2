/**
 * Every rule about sending a message until the server has it stands in this file: one at a time
 * and in order, again with the same id, and how often. It knows no socket and no room.
 */
import type { ErrorCode, MessageAck } from '../../types/socket'
import type { OutgoingMessage } from '../chat/state'
import { ChatError } from '../errors'
import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import type { OutboxEntry, OutboxStore } from './store'

/** How many messages may wait, those that failed included. */
export const OUTBOX_LIMIT = 500

export interface OutboxSettings {
  ackTimeout: number
  maxRetries: number
  retryDelay: number
  retryDelayMax: number
}

export interface OutboxParts {
  clock: Clock
  store: OutboxStore
  settings: OutboxSettings
  /** Sends it once; the answer may come late, or never. */
  transmit: (message: OutgoingMessage, onReply: (reply: MessageAck) => void) => void
  onQueued: (entry: OutboxEntry) => void
  onStored: (id: string, reply: MessageAck) => void
  onFailed: (id: string, error: ChatError) => void
}

interface Item {
  readonly message: OutgoingMessage
  status: 'pending' | 'failed'
  /** How often it was sent in vain. */
  failures: number
  readonly done: Promise<boolean>
  readonly finish: (isStored: boolean) => void
}

export class Outbox {
  readonly #parts: OutboxParts
  readonly #timer: Timer
  /** In the order sent; a `Map` keeps it. */
  readonly #items = new Map<string, Item>()
  /** The one that is being sent, or waits to be sent again. */
  #current: Item | null = null
  #isFlowing = false
  #roomId: string | null = null

  constructor(parts: OutboxParts) {
    this.#parts = parts
    this.#timer = new Timer(parts.clock)
  }

  /** Takes up what was kept for a room. */
  async open(roomId: string): Promise<void> {
    this.#roomId = roomId
    const kept = await this.#parts.store.load(roomId)
    if (this.#roomId !== roomId) return
    const newer = [...this.#items.values()]
    this.#items.clear()
    for (const entry of kept) this.#put(createItem(entry))
    for (const item of newer) this.#put(item)
    this.#pump()
  }

  /** What is not sent yet stays in the store; nobody waits for it any more. */
  close(): void {
    this.pause()
    this.#roomId = null
    for (const item of this.#items.values()) item.finish(false)
    this.#items.clear()
  }

  add(message: OutgoingMessage): Promise<boolean> {
    if (this.#items.size >= OUTBOX_LIMIT) {
      this.#parts.onFailed(message.id, new ChatError('unavailable', 'Too many messages wait.'))
      return Promise.resolve(false)
    }
    const item = createItem({ message, status: 'pending' })
    this.#put(item)
    this.#keep(item)
    this.#pump()
    return item.done
  }

  /** Once more, behind the others; one that is on its way is only waited for. */
  retry(id: string): Promise<boolean> {
    const item = this.#items.get(id)
    if (!item) return Promise.resolve(false)
    if (item.status === 'pending') return item.done
    this.#items.delete(id)
    return this.add(item.message)
  }

  discard(id: string): void {
    this.#remove(id)?.finish(false)
    this.#pump()
  }

  /** From now on messages can reach the server. */
  resume(): void {
    this.#isFlowing = true
    this.#pump()
  }

  /** Nothing reaches the server; what was being sent will be sent again, and counts no failure. */
  pause(): void {
    this.#isFlowing = false
    this.#current = null
    this.#timer.cancel()
  }

  /** The server has it, whichever way that became known. */
  confirm(id: string, reply: MessageAck): void {
    const item = this.#remove(id)
    if (!item) return
    this.#parts.onStored(id, reply)
    item.finish(true)
    this.#pump()
  }

  #pump(): void {
    if (!this.#isFlowing || this.#current) return
    for (const item of this.#items.values()) {
      if (item.status === 'pending') {
        this.#current = item
        this.#send(item)
        return
      }
    }
  }

  #send(item: Item): void {
    const { id } = item.message
    const failures = item.failures
    this.#timer.start(this.#parts.settings.ackTimeout, () => this.#again(item, 0, noAnswer()))
    this.#parts.transmit(item.message, (reply) => {
      // However late: it is there.
      if (reply.success) this.confirm(id, reply)
      else if (this.#current === item && item.failures === failures) this.#refused(item, reply)
    })
  }

  #refused(item: Item, reply: MessageAck): void {
    const code = reply.code ?? 'internal'
    const error = new ChatError(code, reply.error ?? code)
    if (isPassing(code)) this.#again(item, this.#delayAfter(item, reply), error)
    else this.#fail(item, error)
  }

  #again(item: Item, delay: number, error: ChatError): void {
    item.failures += 1
    if (item.failures > this.#parts.settings.maxRetries) this.#fail(item, error)
    else if (delay === 0) this.#send(item)
    else this.#timer.start(delay, () => this.#send(item))
  }

  #delayAfter(item: Item, reply: MessageAck): number {
    const { retryDelay, retryDelayMax } = this.#parts.settings
    return reply.retryAfterMs ?? Math.min(retryDelayMax, retryDelay * 2 ** item.failures)
  }

  #fail(item: Item, error: ChatError): void {
    this.#release(item)
    item.status = 'failed'
    this.#keep(item)
    this.#parts.onFailed(item.message.id, error)
    item.finish(false)
    this.#pump()
  }

  #put(item: Item): void {
    this.#items.set(item.message.id, item)
    this.#parts.onQueued(item)
  }

  #remove(id: string): Item | undefined {
    const item = this.#items.get(id)
    if (!item) return undefined
    this.#items.delete(id)
    this.#release(item)
    void this.#parts.store.remove(id)
    return item
  }

  #release(item: Item): void {
    if (this.#current !== item) return
    this.#current = null
    this.#timer.cancel()
  }

  #keep({ message, status }: Item): void {
    void this.#parts.store.put({ message, status })
  }
}

/** What a client retries on, besides no answer at all. */
export function isPassing(code: ErrorCode): boolean {
  return code === 'rate_limited' || code === 'unavailable'
}

function noAnswer(): ChatError {
  return new ChatError('timeout', 'The server did not answer in time')
}

function createItem({ message, status }: OutboxEntry): Item {
  let finish: Item['finish'] = () => undefined
  const done = new Promise<boolean>((resolve) => {
    finish = resolve
  })
  return { message, status, failures: 0, done, finish }
}
