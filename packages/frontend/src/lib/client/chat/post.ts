import type { MessageAck } from '../../types/socket'
import { type Mailboxes, ownerOf } from '../outbox/mailbox'
import { Outbox } from '../outbox/outbox'
import type { OutboxStore } from '../outbox/store'
import type { Unsubscribe } from '../store'
import type { Channel } from '../transport/transport'
import type { ChatParts } from './parts'
import type { OutgoingMessage } from './state'

export interface PostParts extends ChatParts {
  outboxStore: OutboxStore
  mailboxes: Mailboxes | undefined
  /** Where messages go, and as whose. */
  place: () => { readonly channel: Channel | null; readonly userId: string | undefined }
}

/** The outbox of the room that is open, in the mailbox of whoever writes there. */
export class Post {
  readonly outbox: Outbox
  readonly #parts: PostParts
  #roomId: string | null = null
  #owner: string | null = null
  #stopWatching: Unsubscribe | null = null

  constructor(parts: PostParts) {
    this.#parts = parts
    const { clock, settings, dispatch, place, outboxStore } = parts
    this.outbox = new Outbox({
      clock,
      settings,
      store: outboxStore,
      transmit: (message, onReply) => this.#transmit(message, onReply),
      onSilence: () => place().channel?.suspect?.(),
      onQueued: ({ message, status }) =>
        dispatch({ type: 'queued', message, status, senderId: place().userId ?? '' }),
      onStored: (id, stored) => dispatch({ type: 'stored', id, stored }),
      onFailed: (id, error) => {
        dispatch({ type: 'sendFailed', id })
        dispatch({ type: 'failed', error })
      },
      onGone: (id) => dispatch({ type: 'discarded', id }),
      onFill: (isFull) => this.#show({ isFull }),
    })
  }

  open(roomId: string): void {
    this.#roomId = roomId
    void this.outbox.open(roomId)
    this.identify()
  }

  close(): void {
    this.outbox.close()
    this.#roomId = null
    this.#owner = null
    this.#unwatch()
  }

  /** To be called whenever it may be known by now, or be another, who writes. */
  identify(): void {
    const { place, mailboxes } = this.#parts
    const { channel, userId } = place()
    const owner = channel && ownerOf(channel, userId)
    const roomId = this.#roomId
    if (!channel || !mailboxes || owner === null || owner === this.#owner || roomId === null) return
    const isOther = this.#owner !== null
    this.#owner = owner
    this.#unwatch()
    const mailbox = mailboxes(channel, owner)
    this.#stopWatching = mailbox.isKept.subscribe(() => this.#show({ isKept: isKept() }))
    const isKept = mailbox.isKept.getSnapshot
    this.#show({ isKept: isKept() })
    if (!isOther) void this.outbox.move(mailbox)
    else this.#change(roomId, () => void this.outbox.open(roomId, mailbox))
  }

  /** What one user wrote is neither sent nor shown by another. */
  #change(roomId: string, open: () => void): void {
    const { state, dispatch } = this.#parts
    this.outbox.close()
    for (const { id } of state.getSnapshot().outgoing) dispatch({ type: 'discarded', id })
    if (this.#roomId === roomId) open()
  }

  #unwatch(): void {
    this.#stopWatching?.()
    this.#stopWatching = null
    this.#show({ isKept: false })
  }

  #show(change: { isKept?: boolean; isFull?: boolean }): void {
    const { outbox } = this.#parts.state.getSnapshot()
    const next = { ...outbox, ...change }
    if (next.isKept !== outbox.isKept || next.isFull !== outbox.isFull)
      this.#parts.dispatch({ type: 'outbox', outbox: next })
  }

  #transmit(message: OutgoingMessage, onReply: (reply: MessageAck) => void): void {
    const { id, timestamp: _, ...rest } = message
    const event = rest.characterId === undefined ? 'message:send' : 'message:send:stream'
    this.#parts.place().channel?.emit(event, { ...rest, messageId: id }, onReply)
  }
}
