import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import {
  type CharacterStatus,
  type ChatSocket,
  type ChatView,
  createPresence,
  socketTransport,
} from '../client'
import type { ConnectedStatus, Member } from '../types/socket'

export interface UsePresenceOptions {
  /** From `useSocket`. */
  socket: ChatSocket | null
  /** From `useSocketChat`: those whose presence is asked for. */
  chat?: Pick<ChatView, 'members' | 'characters'> | undefined
  /** Without a sign for so many milliseconds one counts as away; by default five minutes. Holds from the first render on. */
  idleAfter?: number | undefined
}

export interface UsePresenceReturn {
  /** How one is oneself; others are told, as long as the component lives. */
  own: ConnectedStatus
  /** How somebody in the room is; `undefined` of those who are not in it. */
  of: (userId: string) => Pick<Member, 'status' | 'lastSeen'> | undefined
  /** What a character does. */
  ofCharacter: (characterId: string) => CharacterStatus
}

/** Who is there. One of it is enough for a page: it tells the server when the person is away. */
export function usePresence({ socket, chat, idleAfter }: UsePresenceOptions): UsePresenceReturn {
  const [reporter] = useState(() => createPresence(idleAfter))
  const channel = useMemo(() => socket && socketTransport(socket), [socket])
  const own = useSyncExternalStore(reporter.subscribe, reporter.getSnapshot, reporter.getSnapshot)
  useEffect(() => reporter.bind(channel), [reporter, channel])

  const members = chat?.members
  const characters = chat?.characters
  return useMemo(() => {
    const known = new Map(members?.map((member) => [member.userId, member]))
    return {
      own,
      of: (userId) => known.get(userId),
      ofCharacter: (characterId) => characters?.get(characterId) ?? 'idle',
    }
  }, [own, members, characters])
}
