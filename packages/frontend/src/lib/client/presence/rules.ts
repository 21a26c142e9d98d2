/** Rules about who is there, without a clock of their own. */
import type { ConnectedStatus, PresenceStatus } from '../../types/socket'

/** What is known of the person at one page. */
export interface Activity {
  /** Whether the page can be seen. */
  isVisible: boolean
  /** When the person last did something there, in milliseconds. */
  lastActive: number
}

/** Without a sign for so long one counts as away. */
export const IDLE_AFTER_MS = 5 * 60_000

export interface Verdict {
  status: ConnectedStatus
  /** In how many milliseconds to look again: without a sign it will be another. */
  lookIn: number | null
}

/** Away is who can't see the page, or has done nothing there for long. */
export function judge(
  { isVisible, lastActive }: Activity,
  now: number,
  idleAfter = IDLE_AFTER_MS,
): Verdict {
  if (!isVisible) return { status: 'away', lookIn: null }
  // A clock that was set back must not keep anybody there for longer.
  const idle = Math.max(0, now - lastActive)
  if (idle >= idleAfter) return { status: 'away', lookIn: null }
  return { status: 'online', lookIn: idleAfter - idle }
}

/** What a character does: nothing, has begun an answer without a word of it yet, or writes it. */
export type CharacterStatus = 'idle' | 'thinking' | 'writing'

/** How somebody is shown, a person or a character. */
export type ShownStatus = PresenceStatus | CharacterStatus
