/** What the tabs of one user tell each other. Tokens are never part of it. */
import type { ConnectionState } from '../../types/socket'
import type { LineQuality } from '../connection/quality'
import type { ConnectionError } from '../errors'

/** Part of the line's name: tabs of a build that speaks otherwise are a group of their own. */
export const TABS_PROTOCOL = 1

export type TabId = string

/** How the tab that leads stands: the connection of all. */
export interface LeadState {
  /** Of two that lead, the one with the higher term does. */
  readonly term: number
  /** Which of its connections this is: 1, 2, 3 … */
  readonly epoch: number
  readonly isOpen: boolean
  readonly isVisible: boolean
  readonly connectionState: ConnectionState
  readonly reconnectAttempts: number
  readonly lastError: { code: ConnectionError['code']; message: string } | null
  readonly socketId?: string | undefined
  readonly line?: LineQuality | undefined
  /** Whom it has let go of the connection for. */
  readonly yieldsTo?: TabId | undefined
}

export type Command = 'connect' | 'reconnect' | 'yield'

export type TabMessage =
  // --- to the tab that leads ---
  /** Somebody is there, asks who leads, and may want something. */
  | { type: 'hello'; from: TabId; isVisible: boolean; wants?: Command | undefined }
  | { type: 'bye'; from: TabId }
  /** Sends an event over the connection `epoch` of whoever leads in `term`. */
  | {
      type: 'ask'
      from: TabId
      term: number
      epoch: number
      /** Of the answer, if one is wanted. */
      number?: number | undefined
      event: string
      payload: unknown
    }
  /** This tab led until now, and may have connected after the lead was taken from it. */
  | { type: 'clash'; from: TabId }
  /** Something was not answered in time. */
  | { type: 'suspect'; from: TabId }
  // --- from the tab that leads ---
  | { type: 'lead'; from: TabId; state: LeadState }
  | { type: 'event'; from: TabId; event: string; payload: unknown }
  | { type: 'reply'; from: TabId; to: TabId; number: number; reply: unknown }
  /** A tab was taken for gone, and what it had was given up. */
  | { type: 'gone'; from: TabId; tab: TabId }
