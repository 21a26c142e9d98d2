import { type People, personName } from '../common/people'
import { useText } from '../i18n/TextContext'

/** Below the last message: who has read one's own last message, and who types. */
export function RoomFooter({
  people,
  readers,
  typingUsers,
}: {
  people: People
  readers: readonly string[]
  typingUsers: readonly string[]
}) {
  const { t } = useText()
  const namesOf = (ids: readonly string[]) => ids.map((id) => personName(people, id, t))
  const typing = namesOf(typingUsers)
  return (
    <>
      {readers.length > 0 && (
        <p className="mt-1 text-end text-muted text-xs" title={t.readBy(namesOf(readers))}>
          {t.read}
        </p>
      )}
      {/* Of one height with and without a name, so that the conversation stays where it is. */}
      <p aria-live="polite" className="mt-2 min-h-6 truncate text-muted text-sm">
        {typing.length > 0 && t.typing(typing)}
      </p>
    </>
  )
}
