import { useCallback, useEffect, useRef } from 'react'
import { useAttention } from '@/components/chat/common/attention'
import {
  type CharacterSummary,
  listCharacters,
  listRooms,
  type RoomList,
  type RoomSummary,
  type RoomUpdated,
} from '@/index'
import { SERVER } from '../server'
import { useResource } from './useResource'

export type ChatLists = ReturnType<typeof useChatLists>

/** Of the many messages of a lively room, all within this time are answered with one request. */
const GATHER_MS = 500

/**
 * What the sidebar lists. The server tells only those in a room about it, so the list is fetched
 * again when the person comes back to the page and when the connection does.
 */
export function useChatLists(token: string, isConnected: boolean) {
  const attention = useAttention()
  const loadCharacters = useCallback(
    async () => (await listCharacters({ url: SERVER, token })).map(withAddress),
    [token],
  )
  const loadRooms = useCallback(() => listRooms({ url: SERVER, token }), [token])
  const { resource: characters, reload: reloadCharacters } = useResource(loadCharacters)
  const { resource: rooms, reload: reloadRooms, change: changeRooms } = useResource(loadRooms)

  useEffect(() => {
    if (attention && isConnected) void reloadRooms()
  }, [attention, isConnected, reloadRooms])

  const reloadRoomsSoon = useSoon(reloadRooms, GATHER_MS)
  const addRoom = useCallback(
    (room: RoomSummary) => changeRooms((list) => withRoom(list, room)),
    [changeRooms],
  )

  const renameRoom = useCallback(
    ({ roomId, title }: RoomUpdated) =>
      changeRooms((list) => ({
        ...list,
        rooms: list.rooms.map((room) => (room.roomId === roomId ? { ...room, title } : room)),
      })),
    [changeRooms],
  )
  const removeRoom = useCallback(
    (roomId: string) =>
      changeRooms((list) => ({
        ...list,
        rooms: list.rooms.filter((room) => room.roomId !== roomId),
      })),
    [changeRooms],
  )

  const charactersFailed = characters.state === 'failed'
  useEffect(() => {
    if (charactersFailed && isConnected) void reloadCharacters()
  }, [charactersFailed, isConnected, reloadCharacters])

  return {
    characters,
    rooms,
    addRoom,
    renameRoom,
    removeRoom,
    reloadCharacters,
    reloadRooms,
    reloadRoomsSoon,
  }
}

/** Where its picture is, from wherever the page is. */
function withAddress(character: CharacterSummary): CharacterSummary {
  const { picture } = character
  return picture === undefined ? character : { ...character, picture: `${SERVER}/${picture}` }
}

/** A list that was on its way may have brought the room already. */
function withRoom(list: RoomList, room: RoomSummary): RoomList {
  const others = list.rooms.filter((each) => each.roomId !== room.roomId)
  return { ...list, rooms: [room, ...others] }
}

/** Does something a little later, once for all who have asked for it meanwhile. */
function useSoon(action: () => Promise<void>, delayMs: number): () => void {
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
      void action()
    }, delayMs)
  }, [action, delayMs])
}
