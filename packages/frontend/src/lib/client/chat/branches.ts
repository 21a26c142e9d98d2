/**
 * Rules about the branches of a room: the same as the server's (`core/branches.py`, which explains
 * them); `protocol/fixtures/branches` holds both to it.
 */
import type { ChatMessage } from '../../types/socket'

type Log = readonly ChatMessage[]

/** The branch that was chosen: it ended at `head` when the log ended at `at`. */
export interface Branch {
  readonly head: number
  readonly at: number
  /** Up to which choices and deletions are known. */
  readonly revision: number
}

export const noBranch: Branch = { head: 0, at: 0, revision: 0 }

function parentOf({ seq, parentSeq }: ChatMessage): number {
  return parentSeq ?? seq - 1
}

/** Where the branch ends by now: at the last message that has followed on it, or stands beside it. */
export function headOf(log: Log, { head, at }: Pick<Branch, 'head' | 'at'>): number {
  let now = head
  let before = at
  for (const message of log.slice(log.findLastIndex(({ seq }) => seq <= at) + 1)) {
    // What is missing in between counts as ordinary.
    const parent = message.parentSeq ?? before
    if (message.variantOf !== undefined || parent === now) now = message.seq
    before = message.seq
  }
  return now
}

/** The messages on the path that ends at the head, in order. */
export function pathTo(log: Log, head: number): ChatMessage[] {
  const path: ChatMessage[] = []
  let wanted = head
  for (let place = log.length - 1; place >= 0; place -= 1) {
    const message = log[place]
    if (!message || message.seq > wanted) continue
    path.push(message)
    wanted = parentOf(message)
  }
  return path.reverse()
}

/**
 * For each message of a path the ids of all that stand at its place, itself included, where that is
 * more than one. What was deleted, and is followed by nothing, is not offered any more.
 */
export function variantsOn(path: Log, log: Log): ReadonlyMap<string, readonly string[]> {
  const variants = new Map<string, readonly string[]>()
  if (!log.some(({ parentSeq }) => parentSeq !== undefined)) return variants
  const children = new Map<number, ChatMessage[]>()
  for (const message of log) {
    const parent = parentOf(message)
    const known = children.get(parent)
    if (known) known.push(message)
    else children.set(parent, [message])
  }
  for (const message of path) {
    const beside = children.get(parentOf(message)) ?? []
    const offered = beside.filter(
      (each) => each === message || each.deletedAt === undefined || children.has(each.seq),
    )
    if (offered.length > 1)
      variants.set(
        message.id,
        offered.map(({ id }) => id),
      )
  }
  return variants
}

/** The message without its text. */
export function withoutText(message: ChatMessage, deletedAt: string): ChatMessage {
  const { metadata: _, ...rest } = message
  return { ...rest, content: '', deletedAt }
}
