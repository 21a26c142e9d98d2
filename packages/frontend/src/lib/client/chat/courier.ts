import type { Mailbox } from '../outbox/mailbox'
import type { NewsLine } from '../outbox/news'
import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import type { Channel } from '../transport/transport'
import { isHeld } from './holding'

/** How long the chats of a page have to take up their own rooms first. */
const HEAD_START_MS = 1_000

export interface CourierParts {
  channel: Channel
  clock: Clock
  /** The mailbox of whoever is connected, where that is known. */
  mailbox: () => Mailbox | null
  /** Enters a room, sends what waits for it, and leaves. */
  visit: (roomId: string) => Promise<void>
}

/** Sends what was written in rooms that nobody has open, once there is a connection. */
export class Courier {
  readonly #parts: CourierParts
  readonly #start: Timer
  #mailbox: Mailbox | null = null
  #line: NewsLine | null = null
  #isUnderWay = false

  constructor(parts: CourierParts) {
    this.#parts = parts
    this.#start = new Timer(parts.clock)
    parts.channel.onChange((change) => {
      if (change.type === 'opened') this.#open()
      else if (change.type === 'closed') this.#close()
    })
  }

  #open(): void {
    this.#close()
    this.#mailbox = this.#parts.mailbox()
    if (!this.#mailbox) return
    this.#line = this.#mailbox.openLine((news) => {
      if (news.type === 'put' && news.entry.status === 'pending') this.#plan()
    })
    this.#plan()
  }

  #close(): void {
    this.#start.cancel()
    this.#line?.close()
    this.#line = null
    this.#mailbox = null
  }

  #plan(): void {
    if (!this.#start.isRunning) this.#start.start(HEAD_START_MS, () => void this.#go())
  }

  async #go(): Promise<void> {
    if (this.#isUnderWay) {
      this.#plan()
      return
    }
    this.#isUnderWay = true
    try {
      await this.#goRound()
    } finally {
      this.#isUnderWay = false
    }
  }

  async #goRound(): Promise<void> {
    const mailbox = this.#mailbox
    const rooms = (await mailbox?.store.rooms?.()) ?? []
    for (const roomId of rooms) {
      const isNeeded = !isHeld(this.#parts.channel, roomId) && (await mailbox?.turns.isFree(roomId))
      if (this.#mailbox !== mailbox) return
      if (isNeeded) await this.#parts.visit(roomId)
    }
  }
}
