import { useCallback, useEffect, useRef } from 'react'
import { useAttention } from '@/components/chat/common/attention'
import { listCharacters, listRooms, type RoomSummary } from '@/index'
import { useResource } from './useResource'

/** Of the many messages of a lively room, all within this time are answered with one request. */
const GATHER_MS = 500

/**
 * What the sidebar lists. The server tells only those in a room about it, so the list is fetched
 * again when the person comes back to the page and when the connection does.
 */
export function useChatLists(token: string, isConnected: boolean) {
  const attention = useAttention()
  const loadCharacters = useCallback(
    (signal: AbortSignal) => listCharacters({ token, signal }),
    [token],
  )
  const loadRooms = useCallback((signal: AbortSignal) => listRooms({ token, signal }), [token])
  const { resource: characters, reload: reloadCharacters } = useResource(loadCharacters)
  const { resource: rooms, reload: reloadRooms, change: changeRooms } = useResource(loadRooms)

  useEffect(() => {
    if (attention && isConnected) reloadRooms()
  }, [attention, isConnected, reloadRooms])

  const reloadRoomsSoon = useSoon(reloadRooms, GATHER_MS)
  const addRoom = useCallback(
    (room: RoomSummary) => changeRooms((list) => ({ ...list, rooms: [room, ...list.rooms] })),
    [changeRooms],
  )

  const charactersFailed = characters.state === 'failed'
  useEffect(() => {
    if (charactersFailed && isConnected) reloadCharacters()
  }, [charactersFailed, isConnected, reloadCharacters])

  return { characters, rooms, addRoom, reloadCharacters, reloadRooms, reloadRoomsSoon }
}

/** Does something a little later, once for all who have asked for it meanwhile. */
function useSoon(action: () => void, delayMs: number): () => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(
    () => () => {
      clearTimeout(timer.current)
      timer.current = undefined
    },
    [],
  )
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      action()
    }, delayMs)
  }, [action, delayMs])
}
