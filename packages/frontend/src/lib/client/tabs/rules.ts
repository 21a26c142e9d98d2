/** When a tab asks for the lead, and when it takes it. These rules know no lock and no clock. */
import type { LeadState, TabId } from './messages'

/** How often a tab that is looked at asks whether whoever leads is there. */
export const LOOK_MS = 700
/** So many questions without an answer, and it is not: it sleeps, or hangs. */
const SILENCE = 3
/** A tab that was hidden for so long may have its timers held back by the browser. */
export const HIDDEN_MS = 30_000
/** So long a hidden tab may be without its connection; there its timers matter. */
export const AWAY_MS = 2_000

export interface Leader {
  readonly id: TabId
  readonly state: LeadState
  /** Since when it can't be seen. */
  readonly hiddenSince: number | null
  /** Since when it has no connection. */
  readonly awaySince: number | null
}

export interface View {
  /** Questions since the last word of whoever leads. */
  unanswered: number
  leader: Leader | null
  /** Whether this tab can be seen. */
  isVisible: boolean
  now: number
}

/** What to do: ask again, ask for the lead, or take it. */
export type Look = 'ask' | 'yield' | 'insist'

export function look({ unanswered, leader, isVisible, now }: View): Look {
  if (unanswered >= SILENCE) return 'insist'
  if (!leader || !isVisible || leader.state.yieldsTo !== undefined) return 'ask'
  const { state, hiddenSince, awaySince } = leader
  if (hiddenSince === null) return 'ask'
  const isWanted =
    state.connectionState === 'connecting' || state.connectionState === 'reconnecting'
  if (isWanted && isPast(awaySince, AWAY_MS, now)) return 'yield'
  return isPast(hiddenSince, HIDDEN_MS, now) ? 'yield' : 'ask'
}

function isPast(since: number | null, ms: number, now: number): boolean {
  // A wall clock that was set back must not put it off for longer.
  return since !== null && Math.abs(now - since) >= ms
}
