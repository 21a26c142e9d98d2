import type { OutgoingMessage } from '../chat/state'
import { ChatError } from '../errors'
import type { OutboxEntry } from './store'

/** A message on its way, and who waits for it. */
export interface Item {
  message: OutgoingMessage
  status: 'pending' | 'failed'
  /** How often it was sent in vain. */
  failures: number
  /** How often the connection broke while it was on its way. */
  cuts: number
  /** Whether the store has it, or had it until somebody else took it out. */
  isKept: boolean
  readonly done: Promise<boolean>
  readonly finish: (isStored: boolean) => void
}

export function createItem({ message, status }: OutboxEntry, isKept = true): Item {
  let finish: Item['finish'] = () => undefined
  const done = new Promise<boolean>((resolve) => {
    finish = resolve
  })
  return { message, status, failures: 0, cuts: 0, isKept, done, finish }
}

export function entryOf({ message, status }: Item): OutboxEntry {
  return { message, status }
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
