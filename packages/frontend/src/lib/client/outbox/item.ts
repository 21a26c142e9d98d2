import type { OutgoingMessage } from '../chat/state'
import { ChatError } from '../errors'
import type { OutboxEntry, Reason } from './store'

/** A message on its way, and who waits for it. */
export interface Item {
  message: OutgoingMessage
  status: 'pending' | 'failed'
  /** Why it failed. */
  reason?: Reason
  /** How often it was sent in vain. */
  failures: number
  /** How often the connection broke while it was on its way. */
  cuts: number
  /** Whether the store has it, or had it until somebody else took it out. */
  isKept: boolean
  readonly done: Promise<boolean>
  readonly finish: (isStored: boolean) => void
}

export function createItem(entry: OutboxEntry, isKept = true): Item {
  let finish: Item['finish'] = () => undefined
  const done = new Promise<boolean>((resolve) => {
    finish = resolve
  })
  return { ...entry, failures: 0, cuts: 0, isKept, done, finish }
}

export function entryOf({ message, status, reason }: Item): OutboxEntry {
  return status === 'failed' && reason ? { message, status, reason } : { message, status }
}

/** What is to be told of one that failed before the page was loaded. */
export function reasonOf({ status, reason }: Item): ChatError | null {
  return status === 'failed' && reason ? new ChatError(reason.code, reason.message) : null
}

export function noAnswer(): ChatError {
  return new ChatError('timeout', 'The server did not answer in time')
}

export function tooMany(): ChatError {
  return new ChatError('unavailable', 'Too many messages wait.')
}

export function sentElsewhere(): ChatError {
  return new ChatError('unavailable', 'It could not be sent from another tab.')
}
