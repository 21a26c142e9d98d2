import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import { request } from '../transport/request'
import type { Channel } from '../transport/transport'

export interface HeartbeatOptions {
  channel: Channel
  clock: Clock
  intervalMs: number
  timeoutMs: number
}

/** Signs of life at a steady pace, each with the last measured round trip. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #timer: Timer
  #rtt: number | undefined

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#timer = new Timer(options.clock)
  }

  start(): void {
    this.#timer.start(this.#options.intervalMs, () => {
      this.start()
      void this.beat()
    })
  }

  stop(): void {
    this.#timer.cancel()
  }

  /** One beat now; resolves to whether the other side is there. */
  async beat(): Promise<boolean> {
    const { channel, clock, timeoutMs } = this.#options
    const sentAt = clock.now()
    const rtt = this.#rtt === undefined ? {} : { rtt: this.#rtt }
    const outcome = await request(channel, clock, timeoutMs, 'heartbeat', {
      timestamp: sentAt,
      ...rtt,
    })
    if (outcome.type !== 'replied') return false
    // A wall clock may be set back in between.
    this.#rtt = Math.max(0, clock.now() - sentAt)
    return true
  }
}
