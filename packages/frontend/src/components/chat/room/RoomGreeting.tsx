import type { CharacterSummary } from '@/index'
import { Avatar } from '../common/Avatar'
import { useText } from '../i18n/TextContext'

/** In an empty room: whom one is about to talk with. */
export function RoomGreeting({ character }: { character: CharacterSummary | undefined }) {
  const { t } = useText()
  return (
    <div className="m-auto flex max-w-sm flex-col items-center px-4 py-10 text-center">
      {character && (
        <>
          <Avatar id={character.id} name={character.name} square className="size-14 text-xl" />
          <p className="mt-4 font-semibold text-lg">{character.name}</p>
        </>
      )}
      <p className="mt-1 text-muted">
        {character?.greeting ?? character?.description ?? t.emptyRoom}
      </p>
    </div>
  )
}
