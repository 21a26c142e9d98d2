import { Connection, type ConnectionParts } from '../connection/connection'
import {
  type ConnectionHandlers,
  type ConnectionIdentity,
  type ConnectionStatus,
  type ManagedConnection,
  sameStatus,
  tellHandlers,
} from '../connection/status'
import { withBell } from '../connection/wake'
import type { OpenLine } from '../outbox/news'
import type { Turns } from '../outbox/turns/turns'
import { Store, type Unsubscribe } from '../store'
import { tokenSubject } from '../transport/tokenSubject'
import type { HandshakeAuth, OpenTransport } from '../transport/transport'
import { Group, type GroupEvents } from './group'
import { Lead } from './lead'
import type { Command, LeadState, TabId, TabMessage } from './messages'
import { LOST, mirrorOf, NOTHING } from './mirror'
import type { PageLife } from './page'
import { gateOf, TabTransport } from './tabTransport'

export interface SharedParts extends Omit<ConnectionParts, 'transport'> {
  transport: OpenTransport
  id: TabId
  page: PageLife
  /** What the tabs of one user have in common; `name` tells users and servers apart. */
  commons: (name: string) => { turns: Turns; openLine: OpenLine<TabMessage> }
}

/** One connection for all tabs of a user: that of whichever tab leads. */
export class SharedConnection implements ManagedConnection {
  readonly transport: TabTransport
  readonly #parts: SharedParts
  readonly #local: Connection
  /** Has the connection looked at. */
  readonly #ring: () => void
  readonly #status: Store<ConnectionStatus>
  readonly getSnapshot: () => ConnectionStatus
  readonly subscribe: (listener: () => void) => Unsubscribe
  #handlers: ConnectionHandlers = {}
  #group: Group | null = null
  #subject: string | null = null
  /** While this tab leads. */
  #lead: Lead | null = null
  /** How the connection of another tab stands, while there is one. */
  #mirror: ConnectionStatus | null = null
  /** An attempt that waits until it is known whether this tab leads. */
  #pending: HandshakeAuth | null = null
  #wants: Command = 'connect'
  #epoch = 0
  /** Whether one may be somebody else by now. */
  #isStale = false
  /** Whether it is to connect again when the page goes on. */
  #isAsleep = false
  #stopPage: Unsubscribe | null = null

  constructor(parts: SharedParts, identity: ConnectionIdentity) {
    this.#parts = parts
    const own = parts.transport
    own.onChange(({ type }) => {
      if (type === 'opened') this.#epoch += 1
      if (type === 'opened' || type === 'closed') this.#group?.announce()
    })
    this.transport = new TabTransport({
      self: parts.id,
      own,
      open: () => this.connect(),
      close: () => this.disconnect(),
    })
    const gate = gateOf(
      own,
      (auth) => this.#open(auth),
      () => this.#close(),
    )
    const { wake, ring } = withBell(parts.wake)
    this.#ring = ring
    const isSeen = () => parts.page.isVisible() || (this.#lead?.hub.isSeen ?? false)
    this.#local = new Connection({ ...parts, transport: gate, wake, isSeen }, identity)
    this.#local.setHandlers({
      onSessionRestored: (data) => this.#handlers.onSessionRestored?.(data),
      onAuthRequired: (data) => this.#handlers.onAuthRequired?.(data),
      onReplaced: (data) =>
        this.#lead ? this.#lead.replaced(data) : this.#handlers.onReplaced?.(data),
    })
    this.#status = new Store(this.#local.getSnapshot())
    this.getSnapshot = this.#status.getSnapshot
    this.subscribe = this.#status.subscribe
    this.#local.subscribe(() => this.#publish())
    this.#local.quality.subscribe(() => {
      this.transport.measured(this.#local.quality.getSnapshot())
      this.#group?.announce()
    })
  }

  get quality() {
    return this.transport.quality
  }

  setHandlers(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
  }

  setIdentity(identity: ConnectionIdentity): void {
    this.#local.setIdentity(identity)
    this.#isStale = true
  }

  readonly connect = (): void => this.#command('connect')

  readonly reconnect = (): void => this.#command('reconnect')

  readonly disconnect = (): void => {
    this.#isAsleep = false
    this.#stopPage?.()
    this.#stopPage = null
    this.#leave(() => this.#local.disconnect())
  }

  #command(wants: 'connect' | 'reconnect'): void {
    this.#isAsleep = false
    this.#stopPage ??= this.#parts.page.watch({
      onVisibility: () => this.#seen(),
      onSuspend: () => this.#suspend(),
      onResume: () => this.#resume(),
    })
    if (this.#mirror && !this.#isStale) {
      // Should the tab that leads be asleep, this one takes the lead and knows what was wanted.
      if (!this.#mirror.isConnected) this.#follow(LOST)
      this.#group?.hello(wants)
      return
    }
    if (this.#mirror) this.#leave()
    this.#wants = wants
    this.#local[wants]()
  }

  // --- the attempts of this tab's own connection ---

  #open(auth: HandshakeAuth): void {
    const subject = tokenSubject(auth.token) ?? null
    if (subject !== this.#subject) this.#leave()
    this.#isStale = false
    if (subject === null || this.#group?.isLeading) {
      this.#parts.transport.open(auth)
      return
    }
    this.#pending = auth
    if (!this.#group) this.#join(subject)
  }

  #close(): void {
    this.#pending = null
    this.#parts.transport.close()
  }

  // --- the group ---

  #join(subject: string): void {
    const { id, clock, page, commons, transport } = this.#parts
    const owner = JSON.stringify([transport.server ?? '', subject])
    this.#subject = subject
    this.#group = new Group({
      id,
      clock,
      ...commons(owner),
      isVisible: page.isVisible,
      events: this.#events(),
    })
    this.#group.join(this.#wants)
  }

  /** `close` ends the connection before another tab may have one. */
  #leave(close: () => void = () => undefined): void {
    this.#stopLeading()
    if (this.#group) this.#group.leave(close)
    else close()
    this.#group = null
    this.#subject = null
    this.#mirror = null
    this.transport.lead(null)
    this.#publish()
  }

  #events(): GroupEvents {
    return {
      onLead: () => this.#leads(),
      onLost: () => {
        this.#stopLeading()
        this.#follow(LOST)
        this.#group?.tell({ type: 'clash', from: this.#parts.id })
        this.#local.disconnect()
      },
      onLeaderGone: () => {
        if (this.#mirror) this.#follow(this.#mirror.connectionState === 'disconnected' ? {} : LOST)
      },
      onState: (state) => this.#heardState(state),
      onForgotten: () => this.transport.renew(),
      onMessage: (message) => this.#hear(message),
      state: () => this.#lead?.state() ?? NOTHING,
    }
  }

  #leads(): void {
    const { id, transport, clock, page } = this.#parts
    const group = this.#group
    if (!group) return
    const before = this.#mirror
    this.#mirror = null
    this.#lead = new Lead({
      id,
      clock,
      group,
      transport,
      connection: this.#local,
      isVisible: page.isVisible,
      line: this.transport.quality.getSnapshot,
      epoch: () => this.#epoch,
      onSeen: this.#ring,
      onReplaced: (data) => this.#told('connection:replaced', data),
    })
    this.transport.lead(this.#lead.hub)
    const pending = this.#pending
    this.#pending = null
    if (pending) transport.open(pending)
    // A connection that was replaced stays away until somebody asks for it, whichever tab leads.
    else if (before && before.connectionState !== 'disconnected') this.#local.connect()
    this.#publish()
  }

  #stopLeading(): void {
    this.#lead?.end()
    this.#lead = null
  }

  #heardState(state: LeadState): void {
    this.#follow(mirrorOf(state, this.#mirror), state)
    if (state.line) this.transport.measured(state.line)
    if (this.#pending || this.#local.getSnapshot().connectionState !== 'disconnected')
      this.#local.disconnect()
    if (state.yieldsTo === this.#parts.id) this.#group?.insist()
  }

  #follow(change: Partial<ConnectionStatus>, state?: LeadState): void {
    const { id } = this.#parts
    const group = this.#group
    if (!group || this.#subject === null) return
    this.#mirror = { ...(this.#mirror ?? this.#local.getSnapshot()), ...change }
    const { term, epoch } = state ?? { term: 0, epoch: 0 }
    this.transport.follow({
      userId: this.#subject,
      key: state?.isOpen ? `${term}.${epoch}` : null,
      socketId: state?.socketId,
      ask: (event, payload, number) =>
        group.tell({ type: 'ask', from: id, term, epoch, number, event, payload }),
      suspect: () => {
        group.tell({ type: 'suspect', from: id })
        group.alarm()
      },
    })
    this.#publish()
  }

  /** For a tab that leads: what others want; for the others: what the one that leads passes on. */
  #hear(message: TabMessage): void {
    if (this.#lead) this.#lead.hear(message)
    else if (message.type === 'event') this.#told(message.event, message.payload)
    else if (message.type === 'reply' && message.to === this.#parts.id)
      this.transport.answer(message.number, message.reply)
  }

  #told(event: string, payload: unknown): void {
    this.transport.deliver(event, payload)
    tellHandlers(this.#handlers, event, payload)
  }

  #publish(): void {
    const next = this.#mirror ?? this.#local.getSnapshot()
    this.#status.set(sameStatus(this.#status.getSnapshot(), next))
    this.#group?.announce()
  }

  #seen(): void {
    this.#lead?.hub.seen()
    this.#group?.seen()
  }

  /** The browser puts the page to sleep: another tab shall have the lead. */
  #suspend(): void {
    if (!this.#group) return
    const isParked = this.getSnapshot().connectionState === 'disconnected'
    this.#leave(() => this.#local.disconnect())
    this.#isAsleep = !isParked
  }

  #resume(): void {
    if (this.#isAsleep) this.#local.connect()
    this.#isAsleep = false
  }
}
