import { Store } from '../store'
import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import { request } from '../transport/request'
import type { Channel } from '../transport/transport'
import {
  heard,
  isDoubtful,
  type Line,
  type LineQuality,
  newLine,
  qualityOf,
  RULES,
  sameLine,
} from './quality'

/** While it is in doubt how good the line is, it is measured so often. */
const PROBE_MS = 5_000

export interface HeartbeatOptions {
  channel: Channel
  clock: Clock
  intervalMs: number
  timeoutMs: number
  /** Whether somebody may look; where nobody does, nothing is sent. */
  isSeen: () => boolean
}

/** Signs of life at a steady pace, each with the last measured round trip; and how good the line is. */
export class Heartbeat {
  readonly quality = new Store<LineQuality>(qualityOf(newLine))
  readonly #options: HeartbeatOptions
  readonly #timer: Timer
  #line: Line = newLine

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#timer = new Timer(options.clock)
  }

  start(): void {
    const { intervalMs, isSeen } = this.#options
    const delay = isDoubtful(this.#line) ? Math.min(PROBE_MS, intervalMs) : intervalMs
    this.#timer.start(delay, () => {
      this.start()
      if (isSeen()) void this.beat()
    })
  }

  stop(): void {
    this.#timer.cancel()
  }

  /** One beat now; resolves to whether the other side is there. */
  async beat(): Promise<boolean> {
    const { channel, clock, timeoutMs } = this.#options
    const sentAt = clock.now()
    const last = this.#line.trips.at(-1)
    const rtt = last === undefined ? {} : { rtt: last }
    const outcome = await request(channel, clock, timeoutMs, 'heartbeat', {
      timestamp: sentAt,
      ...rtt,
    })
    // A wall clock may be set back in between.
    if (outcome.type === 'replied') this.measured(Math.max(0, clock.now() - sentAt))
    else if (outcome.type === 'timeout') this.measured(RULES.lostMs)
    return outcome.type === 'replied'
  }

  /** A round trip took so many milliseconds, whatever it was for. */
  measured(trip: number): void {
    const wasDoubtful = isDoubtful(this.#line)
    this.#line = heard(this.#line, trip)
    this.quality.set(sameLine(this.quality.getSnapshot(), qualityOf(this.#line)))
    if (isDoubtful(this.#line) !== wasDoubtful && this.#timer.isRunning) this.start()
  }
}
