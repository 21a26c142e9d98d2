import type { RoomAck } from '../../types/socket'
import { isHeld } from '../chat/holding'
import { isPassing } from '../outbox/sending'
import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import { request } from '../transport/request'
import type { Channel } from '../transport/transport'

export interface EntriesParts {
  clock: Clock
  /** How long an answer is waited for. */
  ackTimeout: number
  /** How long something passing is waited for. */
  patience: number
  /** The message to catch up from, if any is known. */
  positionOf: (roomId: string) => string | undefined
  onEntered: (roomId: string, snapshot: RoomAck) => void
}

/** Enters rooms that are not in view: one after the other, since nothing of it is urgent. */
export class BackgroundEntries {
  readonly #parts: EntriesParts
  readonly #later: Timer
  #channel: Channel | null = null
  #queue: string[] = []
  #isUnderWay = false

  constructor(parts: EntriesParts) {
    this.#parts = parts
    this.#later = new Timer(parts.clock)
  }

  use(channel: Channel | null): void {
    this.#channel = channel
    this.clear()
  }

  clear(): void {
    this.#later.cancel()
    this.#queue = []
  }

  add(roomId: string): void {
    if (!this.#queue.includes(roomId)) this.#queue.push(roomId)
    void this.#go()
  }

  remove(roomId: string): void {
    this.#queue = this.#queue.filter((each) => each !== roomId)
  }

  /** The same a little later, unless it is planned already: what is missing may only be late. */
  addLater(roomId: string, delay = this.#parts.patience): void {
    if (!this.#queue.includes(roomId)) this.#queue.push(roomId)
    if (!this.#later.isRunning) this.#later.start(delay, () => void this.#go())
  }

  async #go(): Promise<void> {
    if (this.#isUnderWay) return
    this.#isUnderWay = true
    // Whoever is about to have a room in view says so first.
    await Promise.resolve()
    while (this.#channel?.isOpen && !this.#later.isRunning) {
      const roomId = this.#queue.shift()
      if (roomId === undefined) break
      // Whoever has it in view is in it already.
      if (!isHeld(this.#channel, roomId)) await this.#enter(this.#channel, roomId)
    }
    this.#isUnderWay = false
  }

  async #enter(channel: Channel, roomId: string): Promise<void> {
    const { clock, ackTimeout, patience, positionOf, onEntered } = this.#parts
    const id = positionOf(roomId)
    const outcome = await request(channel, clock, ackTimeout, 'room:join', {
      roomId,
      background: true,
      ...(id === undefined ? {} : { lastMessageId: id }),
    })
    if (this.#channel !== channel || outcome.type === 'closed') return
    if (outcome.type === 'timeout') return this.addLater(roomId)
    const { reply } = outcome
    if (reply.success) onEntered(roomId, reply)
    else if (isPassing(reply.code)) this.addLater(roomId, reply.retryAfterMs ?? patience)
  }
}
