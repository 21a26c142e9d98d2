import type { Clock } from '../time/clock'
import { Timer } from '../time/timer'
import type { ChatAction } from './actions'
import type { ChatSettings } from './settings'
import type { ChatState } from './state'

export interface WatchParts {
  clock: Clock
  random: () => number
  settings: Pick<ChatSettings, 'checkDelay' | 'checkInterval'>
  /** Whether somebody looks. */
  isWatched: () => boolean
  /** Compares what is not final with the server. */
  onCheck: () => void
  /** Brings everything in line. */
  onRenew: () => void
}

interface Progress {
  at: number
  /** How long it may take to the next sign. */
  patience: number
}

/**
 * Says when to ask the server though nothing seems to be wrong: an event that did not come leaves
 * no trace. A loss is likely where things happen, so that is where it is looked for.
 */
export class Watch {
  readonly #parts: WatchParts
  readonly #quiet: Timer
  readonly #stall: Timer
  readonly #round: Timer
  readonly #running = new Map<string, Progress>()

  constructor(parts: WatchParts) {
    this.#parts = parts
    this.#quiet = new Timer(parts.clock)
    this.#stall = new Timer(parts.clock)
    this.#round = new Timer(parts.clock)
  }

  /** Everything is in line now. */
  start({ streams }: Pick<ChatState, 'streams'>): void {
    this.stop()
    for (const id of streams.keys()) this.#progressed(id)
    this.#planStall()
    this.#planRound()
  }

  stop(): void {
    this.#quiet.cancel()
    this.#stall.cancel()
    this.#round.cancel()
    this.#running.clear()
  }

  heard(action: ChatAction): void {
    const { checkDelay } = this.#parts.settings
    const isOfLog = this.#follow(action)
    if (action.type === 'streamChunk' || action.type === 'streamThought') return
    // Who types forever must not put it off.
    if (isOfLog || !this.#quiet.isRunning) this.#quiet.start(checkDelay, this.#parts.onCheck)
  }

  #follow(action: ChatAction): boolean {
    switch (action.type) {
      case 'streamStarted':
        this.#progressed(action.start.messageId)
        break
      case 'streamChunk':
        this.#progressed(action.chunk.messageId)
        break
      case 'streamThought':
        this.#progressed(action.thought.messageId)
        break
      case 'streamEnded':
        this.#running.delete(action.end.messageId)
        break
      case 'streamFailed':
        this.#running.delete(action.failure.messageId)
        break
      default:
        return action.type === 'message' || action.type === 'read'
    }
    this.#planStall()
    return true
  }

  #progressed(id: string): void {
    const { clock, settings } = this.#parts
    this.#running.set(id, { at: clock.now(), patience: settings.checkDelay })
  }

  #planStall(): void {
    const now = this.#parts.clock.now()
    const due = [...this.#running.values()].map(({ at, patience }) =>
      Math.min(patience, Math.max(0, at + patience - now)),
    )
    if (due.length === 0) this.#stall.cancel()
    else this.#stall.start(Math.min(...due), () => this.#stalled())
  }

  /** A character that thinks for long is asked after less and less often. */
  #stalled(): void {
    const { clock, settings, onCheck } = this.#parts
    const now = clock.now()
    for (const [id, { at, patience }] of this.#running) {
      const isDue = at + patience <= now || at > now
      if (isDue)
        this.#running.set(id, { at: now, patience: Math.min(settings.checkInterval, 2 * patience) })
    }
    this.#planStall()
    onCheck()
  }

  #planRound(): void {
    const { settings, random, isWatched, onRenew } = this.#parts
    const delay = settings.checkInterval * (1 + random() / 5)
    this.#round.start(delay, () => {
      this.#planRound()
      if (isWatched()) onRenew()
    })
  }
}
