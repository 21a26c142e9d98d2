import { useId } from 'react'
import { type Member, PresenceLabel, type ShownStatus } from '@/index'
import { Avatar } from '../common/Avatar'
import { Icon } from '../common/Icon'
import { useText } from '../i18n/TextContext'

/** A character as the room shows it. */
export interface ShownCharacter {
  id: string
  name: string
  status: ShownStatus
}

export interface MembersPopoverProps {
  /** Those who are in the room. */
  members: readonly Member[]
  /** Those who belong to it and are not. */
  others: readonly Member[]
  /** The characters who answer here, in the order of coming. */
  characters: readonly ShownCharacter[]
  userId: string
}

/** Who is in the room and who belongs to it, behind a button that says how many are. */
export function MembersPopover({ members, others, characters, userId }: MembersPopoverProps) {
  const { t } = useText()
  const id = useId()
  return (
    <>
      <button type="button" popoverTarget={id} className="button-quiet tabular-nums">
        <Icon name="people" />
        <span aria-hidden="true">{members.length}</span>
        <span className="sr-only">{t.memberCount(members.length)}</span>
      </button>
      <section
        id={id}
        popover="auto"
        aria-label={t.members}
        className="inset-auto top-16 right-3 m-0 max-h-[60dvh] w-64 max-w-[calc(100vw-1.5rem)] overflow-y-auto rounded-2xl border border-line bg-surface p-3 text-ink shadow-xl"
      >
        <h2 className="mb-2 px-1 font-semibold text-muted text-xs">{t.members}</h2>
        <ul className="flex flex-col gap-1">
          {members.map((member) => (
            <MemberRow key={member.userId} member={member} own={member.userId === userId} />
          ))}
          {characters.map((character) => (
            <CharacterRow key={character.id} character={character} />
          ))}
        </ul>
        {others.length > 0 && (
          <>
            <h2 className="mt-3 mb-2 px-1 font-semibold text-muted text-xs">{t.notHere}</h2>
            <ul className="flex flex-col gap-1">
              {others.map((member) => (
                <MemberRow key={member.userId} member={member} own={member.userId === userId} />
              ))}
            </ul>
          </>
        )}
      </section>
    </>
  )
}

function MemberRow({ member, own }: { member: Member; own: boolean }) {
  const { t, locale } = useText()
  const name = member.name ?? t.someone
  return (
    <li className="flex items-center gap-2.5 rounded-lg px-1 py-1">
      <Avatar id={member.userId} name={name} className="size-8" />
      <span className="min-w-0 flex-1">
        <span className="block truncate text-sm">
          {name} {own && <span className="text-muted">{t.youSuffix}</span>}
        </span>
        <PresenceLabel status={member.status} lastSeen={member.lastSeen} locale={locale} />
      </span>
    </li>
  )
}

function CharacterRow({ character }: { character: ShownCharacter }) {
  const { t, locale } = useText()
  const { id, name, status } = character
  return (
    <li className="flex items-center gap-2.5 rounded-lg px-1 py-1">
      <Avatar id={id} name={name} square className="size-8" />
      <span className="min-w-0 flex-1">
        <span className="block truncate text-sm">
          {name} <span className="sr-only">{t.character}</span>
        </span>
        <PresenceLabel status={status} locale={locale} />
      </span>
    </li>
  )
}
