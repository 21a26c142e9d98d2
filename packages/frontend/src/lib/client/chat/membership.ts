/** Which room on which channel is wanted, and what is done until it is the case. */

import type { WakeSource } from '../connection/wake'
import type { Unsubscribe } from '../store'
import type { Channel } from '../transport/transport'
import type { Attention } from './attention'
import type { ChatParts } from './parts'
import { RoomSession } from './roomSession'

/** Which room on which channel. */
export interface ChatBinding {
  channel: Channel | null
  /** Whether the room may be entered when the channel is open. */
  isConnected: boolean
  roomId?: string | undefined
  characterId?: string | undefined
  /** Who one is, where the channel does not know it. */
  userId?: string | undefined
}

export interface Room {
  readonly roomId: string
  readonly characterId: string | undefined
}

export interface MembershipParts extends ChatParts {
  attention: Attention
  wake: WakeSource
  /** Another room is open now, or none. */
  onRoom: (roomId: string | null) => void
  /** It may be known by now, or be another, who one is. */
  onIdentity: () => void
  onEntered: () => void
  onOutside: () => void
}

export class Membership {
  readonly #parts: MembershipParts
  #binding: ChatBinding | null = null
  #isBound = false
  /** The room that was asked for last, by the binding or by name. */
  #wanted: Room | null = null
  #session: RoomSession | null = null
  #isPlanned = false

  constructor(parts: MembershipParts) {
    this.#parts = parts
  }

  get room(): Room | null {
    return this.#isBound ? this.#wanted : null
  }

  get channel(): Channel | null {
    return this.#session?.channel ?? null
  }

  get userId(): string | undefined {
    // Whose connection it is counts.
    return this.#binding?.channel?.userId ?? this.#binding?.userId
  }

  /** Takes effect a moment later, so that a quick unbind and bind again change nothing. */
  bind(binding: ChatBinding): Unsubscribe {
    const { roomId, characterId } = binding
    const previous = this.#binding
    const isOther = roomId !== previous?.roomId
    const hasOtherCharacter =
      characterId !== previous?.characterId && roomId === this.#wanted?.roomId
    if (isOther || hasOtherCharacter) this.#wanted = roomId ? { roomId, characterId } : null
    this.#binding = binding
    this.#isBound = true
    this.#plan()
    return () => {
      if (this.#binding === binding) this.#isBound = false
      this.#plan()
    }
  }

  async join(roomId?: string, characterId?: string): Promise<boolean> {
    this.#want(roomId, characterId)
    this.reconcile()
    return (await this.#session?.join()) ?? false
  }

  async rejoin(roomId?: string, characterId?: string): Promise<boolean> {
    // A page is about one room: one that the server remembers from another page is left alone.
    if (this.#wanted && roomId !== undefined && roomId !== this.#wanted.roomId) return false
    this.#want(roomId, characterId)
    this.reconcile()
    return (await this.#session?.rejoin()) ?? false
  }

  /** Stays away until a room is asked for again. */
  leave(): void {
    this.#wanted = null
    this.reconcile()
  }

  /** To be called after every change of the state. */
  check(): void {
    this.#session?.check()
  }

  /** Makes what is wanted the case. */
  reconcile(): void {
    const { room } = this
    const channel = this.#isBound ? (this.#binding?.channel ?? null) : null
    const session = this.#session
    if (session && (session.channel !== channel || session.roomId !== room?.roomId)) {
      session.stop()
      this.#session = null
    }
    const roomId = room?.roomId ?? null
    if (this.#parts.state.getSnapshot().roomId !== roomId) this.#parts.onRoom(roomId)
    if (!room || !channel) return
    this.#session ??= new RoomSession({ ...this.#parts, ...room, channel })
    this.#parts.onIdentity()
    this.#session.setCharacter(room.characterId)
    this.#session.enable(this.#binding?.isConnected ?? false)
  }

  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    queueMicrotask(() => {
      this.#isPlanned = false
      this.reconcile()
    })
  }

  #want(roomId: string | undefined, characterId: string | undefined): void {
    const id = roomId ?? this.#wanted?.roomId ?? this.#binding?.roomId
    if (!id) return
    const known = this.#wanted?.roomId === id ? this.#wanted.characterId : undefined
    this.#wanted = { roomId: id, characterId: characterId ?? known ?? this.#binding?.characterId }
  }
}
