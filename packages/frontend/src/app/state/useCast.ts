import { useState } from 'react'
import {
  addCharacter,
  addressee,
  type CharacterSummary,
  removeCharacter,
  type UseSocketChatReturn,
} from '@/index'
import { SERVER } from '../server'

/** The characters of a room: who answers what is sent, and how they come and go. */
export function useCast(
  chat: UseSocketChatReturn,
  roomId: string,
  token: string,
  characters: readonly CharacterSummary[],
  onChanged: () => Promise<void>,
) {
  const [failed, setFailed] = useState(false)
  const { characterIds, conversation } = chat
  const options = { url: SERVER, token }
  const settle = (work: Promise<unknown>) =>
    void work.then(
      () => {
        setFailed(false)
        // Whom the room is listed with may be another one now.
        return onChanged()
      },
      () => setFailed(true),
    )
  const here = characterIds.flatMap((id) => characters.find((each) => each.id === id) ?? [])
  const answering = (text: string) =>
    here.length > 0 ? addressee(text, here, conversation) : undefined
  const next = answering('')
  const send = (text: string) => {
    const characterId = answering(text)
    return chat.sendMessage(text, characterId === undefined ? {} : { characterId })
  }
  return {
    characterIds,
    failed,
    send,
    /** Who answers where nobody is named, if there are several. */
    nextName: here.find(({ id }) => id === next)?.name,
    onAdd: (id: string) => settle(addCharacter(roomId, id, options)),
    onRemove: (id: string) => settle(removeCharacter(roomId, id, options)),
  }
}
