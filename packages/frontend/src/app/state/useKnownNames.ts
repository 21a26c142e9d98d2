import { useCallback, useEffect, useMemo, useState } from 'react'
import { type ChatMessage, listMembers, type Member } from '@/index'
import { SERVER } from '../server'

export interface KnownPeople {
  /** Those who are in the room. */
  members: Member[]
  /** Those who belong to it and are not, as they were when the list was asked for. */
  others: Member[]
  nameOf: (userId: string) => string | undefined
}

/**
 * The members with their names, and everybody else who has written here. Events name people only by
 * id, and those who have left are no longer members of the view: whoever is unknown is asked for.
 */
export function useKnownNames(
  roomId: string,
  token: string,
  isInRoom: boolean,
  members: readonly Member[],
  messages: readonly ChatMessage[],
): KnownPeople {
  const [listed, setListed] = useState<readonly Member[]>([])
  const [known, setKnown] = useState<ReadonlyMap<string, string>>(new Map())
  const names = useMemo(() => withNames(known, members), [known, members])
  const unknown = useMemo(
    () => unknownIn(names, members, messages).join(' '),
    [names, members, messages],
  )

  // Only where there is news: with an update after each of many changes in one go React takes it for endless.
  useEffect(() => {
    if (names !== known) setKnown((last) => withNames(last, members))
  }, [names, known, members])

  useEffect(() => {
    // Who belongs to a room and is not there is asked for once, with the names that are unknown then.
    if (!isInRoom) return
    const abort = new AbortController()
    listMembers(roomId, { url: SERVER, token, signal: abort.signal }).then(
      (list) => {
        setListed(list.members)
        if (unknown !== '') setKnown((last) => withNames(last, list.members))
      },
      () => undefined, // They stay without a name; the next one unknown asks again.
    )
    return () => abort.abort()
  }, [roomId, token, isInRoom, unknown])

  const nameOf = useCallback((userId: string) => names.get(userId), [names])
  const named = useMemo(
    () =>
      members.map((member) => {
        const name = member.name ?? names.get(member.userId)
        return name === undefined ? member : { ...member, name }
      }),
    [members, names],
  )
  const others = useMemo(() => {
    const here = new Set(members.map(({ userId }) => userId))
    return listed.filter(({ userId }) => !here.has(userId))
  }, [listed, members])
  return { members: named, others, nameOf }
}

/** The same map where nothing is new, so that nothing is drawn again. */
function withNames(
  known: ReadonlyMap<string, string>,
  members: readonly Member[],
): ReadonlyMap<string, string> {
  const news = members.filter(
    ({ userId, name }) => name !== undefined && known.get(userId) !== name,
  )
  if (news.length === 0) return known
  return new Map([...known, ...news.map(({ userId, name }) => [userId, name ?? userId] as const)])
}

function unknownIn(
  names: ReadonlyMap<string, string>,
  members: readonly Member[],
  messages: readonly ChatMessage[],
): string[] {
  const authors = messages.filter((each) => each.role === 'user').map((each) => each.senderId)
  const ids = new Set([...members.map((each) => each.userId), ...authors])
  return [...ids].filter((id) => id !== '' && !names.has(id)).sort()
}
