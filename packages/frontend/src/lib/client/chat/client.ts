import type { ConnectedStatus } from '../../types/socket'
import type { WakeSource } from '../connection/wake'
import { defined } from '../defined'
import { createId } from '../ids'
import type { Mailboxes } from '../outbox/mailbox'
import type { OutboxStore } from '../outbox/store'
import { type Readable, Store, type Unsubscribe } from '../store'
import type { Clock } from '../time/clock'
import type { ChatAction } from './actions'
import type { Attention } from './attention'
import type { ChatActions, SendOptions } from './chatActions'
import { Edits } from './edits'
import { type ChatBinding, Membership } from './membership'
import type { ChatParts } from './parts'
import { readTo } from './people'
import { Post } from './post'
import { ReadMarks } from './readMarks'
import { reduce } from './reducer'
import { ask, askAgain } from './requests'
import type { ChatSettings } from './settings'
import { type ChatState, emptyChat } from './state'
import { storedBy } from './stored'
import { TypingExpiry, TypingNotifier } from './typing'
import { type ChatView, readableView } from './view'

export interface ChatClientParts {
  clock: Clock
  random: () => number
  settings: ChatSettings
  /** Where messages are kept while it is not known whose they are, and where there are no mailboxes. */
  outboxStore: OutboxStore
  mailboxes?: Mailboxes | undefined
  attention: Attention
  /** Tells when to look at once whether something was missed. */
  wake?: WakeSource | undefined
}

/** A chat in one room at a time: what a page shows, and what a person can do. */
export class ChatClient implements Readable<ChatView>, ChatActions {
  readonly #state = new Store<ChatState>(emptyChat)
  readonly #parts: ChatParts
  readonly #membership: Membership
  readonly #post: Post
  readonly #notifier: TypingNotifier
  readonly #expiry: TypingExpiry
  readonly #readMarks: ReadMarks
  readonly #attention: Attention
  readonly #edits = new Edits()
  readonly getSnapshot: () => ChatView
  readonly subscribe: (listener: () => void) => Unsubscribe
  #presence: ConnectedStatus | null = null
  #stopAttention: Unsubscribe | null = null

  constructor(parts: ChatClientParts) {
    const { clock, random, settings, outboxStore, mailboxes, attention } = parts
    const wake = parts.wake ?? (() => () => undefined)
    const view = readableView(this.#state)
    this.getSnapshot = view.getSnapshot
    this.subscribe = view.subscribe
    this.#attention = attention
    this.#parts = {
      state: this.#state,
      dispatch: (action) => this.#dispatch(action),
      clock,
      random,
      settings,
    }
    this.#membership = new Membership({
      ...this.#parts,
      attention,
      wake,
      onRoom: (roomId) => this.#openRoom(roomId),
      onIdentity: () => this.#post.identify(),
      onEntered: () => this.#onEntered(),
      onOutside: () => this.#onOutside(),
    })
    this.#post = new Post({
      ...this.#parts,
      outboxStore,
      mailboxes,
      place: () => this.#membership,
    })
    this.#notifier = new TypingNotifier({
      clock,
      intervalMs: settings.typingInterval,
      idleMs: settings.typingIdle,
      notify: (isTyping) => this.#notifyTyping(isTyping),
    })
    this.#expiry = new TypingExpiry({
      clock,
      timeoutMs: settings.typingTimeout,
      expire: (userId) => this.#dispatch({ type: 'typing', userId, isTyping: false }),
    })
    this.#readMarks = new ReadMarks({
      attention,
      send: ({ messageId }) => this.#askRoom('messages:read', messageId),
    })
  }

  /** Takes effect a moment later, so that a quick unbind and bind again change nothing. */
  bind(binding: ChatBinding): Unsubscribe {
    return this.#membership.bind(binding)
  }

  readonly joinRoom = (roomId?: string, characterId?: string): Promise<boolean> =>
    this.#membership.join(roomId, characterId)

  readonly rejoinRoom = (roomId?: string, characterId?: string): Promise<boolean> =>
    this.#membership.rejoin(roomId, characterId)

  readonly leaveRoom = async (): Promise<void> => this.#membership.leave()

  readonly sendMessage = (content: string, options: SendOptions = {}): Promise<boolean> => {
    this.#membership.reconcile()
    const { room } = this.#membership
    if (room === null || content.trim() === '') return Promise.resolve(false)
    this.#notifier.stop()
    return this.#post.outbox.add({
      id: createId(),
      roomId: room.roomId,
      content,
      timestamp: new Date(this.#parts.clock.now()).toISOString(),
      ...defined({ characterId: room.characterId, ...options }),
    })
  }

  readonly retryMessage = (messageId: string): Promise<boolean> =>
    this.#post.outbox.retry(messageId)

  readonly discardMessage = (messageId: string): void => {
    this.#post.outbox.discard(messageId)
    this.#dispatch({ type: 'discarded', id: messageId })
  }

  /** Resolves once none of the own messages in this room waits to be sent. */
  readonly whenSent = (): Promise<void> => this.#post.outbox.whenIdle()

  readonly clearMessages = (): void => this.#dispatch({ type: 'cleared' })

  readonly loadMessageHistory = async (limit?: number): Promise<boolean> => {
    const { roomId, log, isLoadingHistory, isInRoom } = this.#state.getSnapshot()
    if (roomId === null || !isInRoom || isLoadingHistory) return this.#state.getSnapshot().hasOlder
    this.#dispatch({ type: 'loadingHistory', isLoading: true })
    const before = log[0]?.id
    const page = await ask(this.#membership.channel, this.#parts, 'messages:history', {
      roomId,
      ...defined({ before, limit }),
    })
    const now = this.#state.getSnapshot()
    // Meanwhile the room may be another, or what is held of it.
    if (page?.success && now.roomId === roomId && now.log[0]?.id === before)
      this.#dispatch({ type: 'olderPage', messages: page.messages, hasMore: page.hasMore })
    this.#dispatch({ type: 'loadingHistory', isLoading: false })
    return this.#state.getSnapshot().hasOlder
  }

  readonly startTyping = (): void => this.#notifier.start()
  readonly stopTyping = (): void => this.#notifier.stop()

  readonly stopStream = (messageId: string): Promise<boolean> =>
    this.#askRoom('message:stream:stop', messageId)

  readonly regenerate = (messageId: string): Promise<boolean> =>
    this.#askRoom('message:regenerate', messageId)

  readonly continueAnswer = (messageId: string): Promise<boolean> =>
    this.#askRoom('message:continue', messageId)

  readonly chooseMessage = (messageId: string): Promise<boolean> =>
    this.#askRoom('message:choose', messageId)

  readonly editMessage = async (messageId: string, content: string): Promise<boolean> => {
    const { roomId, isInRoom } = this.#state.getSnapshot()
    if (roomId === null || !isInRoom || content.trim() === '') return false
    // With the same id it is stored once, however often it is sent.
    const edit = this.#edits.begin({ roomId, messageId, content })
    const { channel } = this.#membership
    const reply = await askAgain(channel, this.#parts, 'message:edit', edit)
    if (!reply?.success) return false
    this.#edits.stored(edit)
    return true
  }

  readonly deleteMessage = (messageId: string): Promise<boolean> =>
    this.#askRoom('message:delete', messageId)

  readonly markRead = (messageId: string): void => {
    const message = this.#state.getSnapshot().log.find(({ id }) => id === messageId)
    if (message) this.#readMarks.mark({ messageId, seq: message.seq })
  }

  readonly setPresence = (status: ConnectedStatus): void => {
    this.#presence = status
    this.#membership.channel?.emit('presence:set', { status })
  }

  #openRoom(roomId: string | null): void {
    this.#post.close()
    this.#readMarks.forget()
    this.#edits.forget()
    this.#stopAttention?.()
    this.#stopAttention = null
    if (roomId === null) {
      this.#dispatch({ type: 'closed' })
      return
    }
    this.#dispatch({ type: 'opened', roomId })
    this.#stopAttention = this.#attention.onReturn(() => void this.#readMarks.flush())
    this.#post.open(roomId)
  }

  #onEntered(): void {
    this.#post.outbox.resume()
    void this.#readMarks.flush()
    if (this.#presence === 'away') this.setPresence(this.#presence)
  }

  #onOutside(): void {
    this.#post.outbox.pause()
    this.#notifier.forget()
    this.#expiry.forget()
  }

  #dispatch(action: ChatAction): void {
    if (action.type === 'typing') {
      // One's own, from another device, is no news.
      if (action.userId === this.#membership.userId) return
      this.#expiry.seen(action.userId, action.isTyping)
    }
    this.#state.set(reduce(this.#state.getSnapshot(), action))
    if (action.type === 'read' || action.type === 'entered') {
      const { readMarkers } = this.#state.getSnapshot()
      this.#readMarks.moved(readTo(readMarkers, this.#membership.userId))
    }
    for (const { id, seq, timestamp } of storedBy(action))
      this.#post.outbox.confirm(id, { seq, timestamp })
    this.#membership.check()
  }

  #notifyTyping(isTyping: boolean): void {
    const { roomId, isInRoom } = this.#state.getSnapshot()
    if (roomId === null || !isInRoom) return
    const { channel } = this.#membership
    // What others would see of it late is not worth what it takes of a poor line.
    if (isTyping && channel?.quality?.getSnapshot().quality === 'poor') return
    channel?.emit(isTyping ? 'typing:start' : 'typing:stop', { roomId })
  }

  async #askRoom(
    event:
      | 'message:stream:stop'
      | 'message:regenerate'
      | 'message:continue'
      | 'message:choose'
      | 'message:delete'
      | 'messages:read',
    messageId: string,
  ): Promise<boolean> {
    const { roomId, isInRoom } = this.#state.getSnapshot()
    if (roomId === null || !isInRoom) return false
    const reply = await ask(this.#membership.channel, this.#parts, event, { roomId, messageId })
    return reply?.success ?? false
  }
}
