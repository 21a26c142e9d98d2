import type { RoomEntry, RoomSnapshot } from '../../types/socket'
import { backoffDelay } from '../connection/backoff'
import { ChatError } from '../errors'
import { isPassing } from '../outbox/sending'
import { Timer } from '../time/timer'
import { request } from '../transport/request'
import type { Channel } from '../transport/transport'
import type { ChatParts } from './parts'

export type EntryEvent = 'room:join' | 'room:rejoin'

export type EntryResult =
  | { type: 'entered'; snapshot: RoomSnapshot }
  | { type: 'refused'; error: ChatError }
  | { type: 'closed' }

/** Enters a room: as often as it takes, while the channel is open and nobody gives it up. */
export class Entry {
  readonly #parts: Pick<ChatParts, 'clock' | 'random' | 'settings'>
  readonly #delay: Timer
  #isGivenUp = false
  #wake: () => void = () => undefined

  constructor(parts: Pick<ChatParts, 'clock' | 'random' | 'settings'>) {
    this.#parts = parts
    this.#delay = new Timer(parts.clock)
  }

  giveUp(): void {
    this.#isGivenUp = true
    this.#delay.cancel()
    this.#wake()
  }

  /** `payload` is asked for before each attempt: what is held may change in between. */
  async run(channel: Channel, event: EntryEvent, payload: () => RoomEntry): Promise<EntryResult> {
    const { clock, random, settings } = this.#parts
    for (let attempt = 0; !this.#isGivenUp; attempt += 1) {
      const outcome = await request(channel, clock, settings.ackTimeout, event, payload())
      if (outcome.type === 'closed' || this.#isGivenUp) break
      let delay = 0
      if (outcome.type === 'replied') {
        const { reply } = outcome
        if (reply.success) return { type: 'entered', snapshot: reply }
        if (!isPassing(reply.code))
          return { type: 'refused', error: new ChatError(reply.code, reply.error) }
        const limits = { minMs: settings.retryDelay, maxMs: settings.retryDelayMax }
        delay = reply.retryAfterMs ?? backoffDelay(attempt, limits, random)
      }
      if (delay > 0) await this.#sleep(delay)
    }
    return { type: 'closed' }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      this.#delay.start(ms, resolve)
    })
  }
}
