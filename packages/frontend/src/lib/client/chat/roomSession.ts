import type { RoomEntry } from '../../types/socket'
import type { WakeSource } from '../connection/wake'
import { defined } from '../defined'
import type { Unsubscribe } from '../store'
import { Timer } from '../time/timer'
import type { Channel } from '../transport/transport'
import type { ChatAction } from './actions'
import type { Attention } from './attention'
import { catchUp } from './catchUp'
import { check } from './check'
import { Entry, type EntryEvent } from './entry'
import { hold, release } from './holding'
import { listen } from './inbox'
import { hasHole, position } from './log'
import type { ChatParts } from './parts'
import { Watch } from './watch'

const HELD_MAX = 5_000

export interface RoomSessionParts extends ChatParts {
  channel: Channel
  roomId: string
  characterId: string | undefined
  attention: Attention
  wake: WakeSource
  onIdentity: () => void
  onEntered: () => void
  onOutside: () => void
}

/** One room on one channel: enters it, enters it again when it must, and keeps it whole. */
export class RoomSession {
  readonly channel: Channel
  readonly roomId: string
  #characterId: string | undefined
  readonly #parts: RoomSessionParts
  readonly #stops: Unsubscribe[]
  readonly #gap: Timer
  readonly #resync: Timer
  readonly #watch: Watch
  #isChecking = false
  #isEnabled = false
  /** Whether this room was entered before, so that it can be entered again. */
  #isKnown: boolean
  #entering: { entry: Entry; done: Promise<boolean> } | null = null
  /** What arrives while a snapshot is on its way; it may be in it or follow it. */
  #held: ChatAction[] = []
  #isCatchingUp = false
  #enteredAt = Number.NEGATIVE_INFINITY

  constructor(parts: RoomSessionParts) {
    this.#parts = parts
    this.channel = parts.channel
    this.roomId = parts.roomId
    this.#characterId = parts.characterId
    this.#isKnown = position(parts.state.getSnapshot()) !== undefined
    this.#gap = new Timer(parts.clock)
    this.#resync = new Timer(parts.clock)
    this.#watch = new Watch({
      ...parts,
      isWatched: () => parts.attention.isThere(),
      onCheck: () => void this.#lookAgain(),
      onRenew: () => this.#renew(),
    })
    hold(this.channel, this.roomId)
    this.#stops = [
      listen(parts.channel, parts.roomId, (action) => this.#deliver(action)),
      parts.channel.onChange((change) => {
        if (change.type !== 'closed') parts.onIdentity()
        if (change.type === 'opened') this.#enterIfOutside()
        else if (change.type === 'closed') this.#goOutside()
      }),
      parts.wake(() => this.#renew()),
      parts.attention.onReturn(() => this.#renew()),
    ]
  }

  /** Whether the room may be entered when the channel is open. */
  enable(isEnabled: boolean): void {
    this.#isEnabled = isEnabled
    this.#enterIfOutside()
  }

  /** The server remembers the character one talks with; it hears of another one by an entry. */
  setCharacter(characterId: string | undefined): void {
    if (characterId === this.#characterId) return
    this.#characterId = characterId
    if (this.#isInside()) void this.rejoin()
  }

  /** Leaves for good; to be called once. */
  stop(): void {
    for (const stop of this.#stops) stop()
    const wasThere = this.#isInside() || this.#entering !== null
    this.#goOutside()
    const isLast = release(this.channel, this.roomId)
    if (wasThere && isLast) this.channel.emit('room:leave', { roomId: this.roomId })
  }

  join(): Promise<boolean> {
    if (this.#isInside()) return Promise.resolve(true)
    return this.#enter(this.#isKnown ? 'room:rejoin' : 'room:join')
  }

  rejoin(): Promise<boolean> {
    return this.#enter('room:rejoin')
  }

  /** To be called after every change of the state: heals what is found wrong. */
  check(): void {
    const state = this.#parts.state.getSnapshot()
    if (!state.isInRoom || this.#entering) return
    const { gapPatience, resyncInterval } = this.#parts.settings
    if (state.isDamaged && !this.#resync.isRunning) {
      const since = this.#parts.clock.now() - this.#enteredAt
      // A wall clock that was set back must not put it off.
      const delay = since < 0 ? 0 : Math.max(0, resyncInterval - since)
      this.#resync.start(delay, () => void this.rejoin())
    }
    const isWaiting = this.#gap.isRunning || this.#isCatchingUp
    if (hasHole(state) && !isWaiting) this.#gap.start(gapPatience, () => void this.#fill())
  }

  #isInside(): boolean {
    return this.#parts.state.getSnapshot().isInRoom
  }

  #enterIfOutside(): void {
    if (this.#isEnabled && this.channel.isOpen && !this.#isInside()) void this.join()
  }

  /** Those who ask while it is under way share its end. */
  #enter(event: EntryEvent): Promise<boolean> {
    if (this.#entering) return this.#entering.done
    if (!this.channel.isOpen) return Promise.resolve(false)
    const entry = new Entry(this.#parts)
    const done = this.#run(entry, event)
    this.#entering = { entry, done }
    return done
  }

  async #run(entry: Entry, event: EntryEvent): Promise<boolean> {
    this.#resync.cancel()
    this.#parts.dispatch({ type: 'resyncing' })
    const result = await entry.run(this.channel, event, () => {
      this.#held = []
      return this.#entryPayload()
    })
    // The channel was lost, and another entry may be under way by now.
    if (this.#entering?.entry !== entry) return false
    this.#entering = null
    const held = this.#held
    this.#held = []
    if (result.type === 'entered') {
      this.#isKnown = true
      this.#enteredAt = this.#parts.clock.now()
      this.#parts.dispatch({ type: 'entered', snapshot: result.snapshot })
      this.#watch.start(this.#parts.state.getSnapshot())
      for (const action of held) this.#take(action)
    } else {
      this.#goOutside()
      if (result.type === 'refused') this.#parts.dispatch({ type: 'failed', error: result.error })
      return false
    }
    this.#parts.onEntered()
    void this.#fill()
    return true
  }

  #entryPayload(): RoomEntry {
    const state = this.#parts.state.getSnapshot()
    const lastMessageId = position(state)
    const revision = state.branch.revision || undefined
    return {
      roomId: this.roomId,
      ...defined({ characterId: this.#characterId, lastMessageId, revision }),
    }
  }

  async #fill(): Promise<void> {
    if (this.#isCatchingUp) return
    this.#isCatchingUp = true
    const isWhole = await catchUp(this.channel, this.#parts)
    this.#isCatchingUp = false
    if (!isWhole && this.#isInside()) this.#parts.dispatch({ type: 'damaged' })
  }

  #deliver(action: ChatAction): void {
    if (this.#entering) this.#hold(action)
    else if (this.#isInside()) this.#take(action)
  }

  #take(action: ChatAction): void {
    this.#watch.heard(action)
    this.#parts.dispatch(action)
  }

  /** Whatever was missed: another snapshot has it. */
  #renew(): void {
    if (this.#isInside()) this.#parts.dispatch({ type: 'damaged' })
  }

  async #lookAgain(): Promise<void> {
    if (this.#isChecking || this.#entering || !this.#isInside()) return
    this.#isChecking = true
    await check(this.channel, this.#parts)
    this.#isChecking = false
  }

  /** Bounded: what was too much to hold is fetched again. */
  #hold(action: ChatAction): void {
    if (this.#held.length === HELD_MAX) this.#held = [{ type: 'damaged' }]
    this.#held.push(action)
  }

  #goOutside(): void {
    this.#gap.cancel()
    this.#resync.cancel()
    this.#watch.stop()
    this.#entering?.entry.giveUp()
    this.#entering = null
    this.#held = []
    this.#parts.dispatch({ type: 'outside' })
    this.#parts.onOutside()
  }
}
