/**
 * Every rule about sending one message until the server has it stands in this file: again with the
 * same id, when, and how often. It knows no socket and no room.
 */
import type { ErrorCode, MessageAck } from '../../types/socket'
import type { StoredPosition } from '../chat/actions'
import type { OutgoingMessage } from '../chat/state'
import { ChatError } from '../errors'
import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import { type Item, noAnswer } from './item'
import { Rest } from './waiting'

/** So often the connection may break under a message: it may be the one that breaks it. */
const CUTS_MAX = 10

export interface OutboxSettings {
  ackTimeout: number
  maxRetries: number
  retryDelay: number
  retryDelayMax: number
}

export interface SendingParts {
  clock: Clock
  settings: OutboxSettings
  /** Sends it once; the answer may come late, or never. */
  transmit: (message: OutgoingMessage, onReply: (reply: MessageAck) => void) => void
  /** No answer came in time: the connection may be dead. */
  onSilence?: () => void
}

interface SendingEnds {
  onStored: (id: string, stored: StoredPosition) => void
  onFailed: (item: Item, error: ChatError) => void
  /** It will take so long. */
  onBusy: (item: Item, ms: number) => void
}

export class Sending {
  readonly #parts: SendingParts & SendingEnds
  readonly #timer: Timer
  /** For how long the server wants to be left alone. */
  readonly #rest: Rest
  #item: Item | null = null
  /** Whether it is on its way, and does not wait to be sent again. */
  #isOut = false

  constructor(parts: SendingParts & SendingEnds) {
    this.#parts = parts
    this.#timer = new Timer(parts.clock)
    this.#rest = new Rest(parts.clock)
  }

  /** The one that is being sent, or waits to be sent again. */
  get item(): Item | null {
    return this.#item
  }

  begin(item: Item): void {
    this.#item = item
    if (item.cuts < CUTS_MAX) this.#send(item)
    else this.#parts.onFailed(item, noAnswer())
  }

  /** The connection broke. */
  cut(): void {
    if (this.#item && this.#isOut) this.#item.cuts += 1
    this.stop()
  }

  /** Nothing is sent any more; what was on its way starts anew. */
  stop(): void {
    if (this.#item) this.#item.failures = 0
    this.#leave()
  }

  /** That one need not be sent any more. */
  release(item: Item): void {
    if (this.#item === item) this.#leave()
  }

  #leave(): void {
    this.#item = null
    this.#isOut = false
    this.#timer.cancel()
  }

  #send(item: Item): void {
    const { settings, transmit, onBusy, onStored, onSilence } = this.#parts
    const rest = this.#rest.left
    if (rest > 0) {
      this.#wait(item, rest)
      return
    }
    const { failures } = item
    this.#isOut = true
    onBusy(item, settings.ackTimeout)
    this.#timer.start(settings.ackTimeout, () => {
      onSilence?.()
      if (this.#item === item) this.#again(item, 0, noAnswer())
    })
    transmit(item.message, (reply) => {
      // However late: it is there.
      if (reply.success) onStored(item.message.id, positionIn(reply))
      else if (this.#item === item && item.failures === failures) this.#refused(item, reply)
    })
  }

  #refused(item: Item, reply: MessageAck): void {
    const code = reply.code ?? 'internal'
    const error = new ChatError(code, reply.error ?? code)
    if (!isPassing(code)) this.#parts.onFailed(item, error)
    else if (reply.retryAfterMs === undefined) this.#again(item, this.#delayAfter(item), error)
    else {
      // To wait as long as one is told to is no failure.
      this.#rest.begin(reply.retryAfterMs)
      this.#wait(item, reply.retryAfterMs)
    }
  }

  #again(item: Item, delay: number, error: ChatError): void {
    item.failures += 1
    if (item.failures > this.#parts.settings.maxRetries) this.#parts.onFailed(item, error)
    else if (delay === 0) this.#send(item)
    else this.#wait(item, delay)
  }

  #wait(item: Item, ms: number): void {
    this.#isOut = false
    this.#parts.onBusy(item, ms)
    this.#timer.start(ms, () => {
      this.#rest.end()
      this.#send(item)
    })
  }

  #delayAfter(item: Item): number {
    const { retryDelay, retryDelayMax } = this.#parts.settings
    return Math.min(retryDelayMax, retryDelay * 2 ** item.failures)
  }
}

/** What a client retries on, besides no answer at all. */
export function isPassing(code: ErrorCode): boolean {
  return code === 'rate_limited' || code === 'unavailable'
}

function positionIn({ seq, timestamp, parentSeq }: MessageAck): StoredPosition {
  return {
    ...(seq === undefined ? {} : { seq }),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(parentSeq === undefined ? {} : { parentSeq }),
  }
}
