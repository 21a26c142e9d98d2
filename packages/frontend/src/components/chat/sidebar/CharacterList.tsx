import type { CharacterSummary } from '@/index'
import { Avatar } from '../common/Avatar'
import { useText } from '../i18n/TextContext'

export function CharacterList({
  characters,
  onStart,
}: {
  characters: readonly CharacterSummary[]
  onStart: (characterId: string) => void
}) {
  const { t } = useText()
  return (
    <ul aria-label={t.newChat} className="flex flex-col gap-1">
      {characters.map((character) => (
        <li key={character.id}>
          <button
            type="button"
            onClick={() => onStart(character.id)}
            className="flex w-full items-center gap-3 rounded-xl p-2 text-start hover:bg-sunken"
          >
            <Avatar id={character.id} name={character.name} square className="size-10" />
            <span className="min-w-0 flex-1">
              <span className="block truncate font-medium">{character.name}</span>
              {character.description && (
                <span className="line-clamp-2 block text-muted text-sm leading-snug">
                  {character.description}
                </span>
              )}
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}
