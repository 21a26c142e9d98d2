import { useState } from 'react'
import { useText } from '@/components/chat/i18n/TextContext'
import { type CardFormat, type CharacterSummary, deleteCard, exportCard, importCard } from '@/index'
import { save } from '../save'
import { SERVER } from '../server'
import { useWork } from './useWork'

/** Card files in, out and away; the list of characters is loaded again after each change. */
export function useCards(token: string, reload: () => Promise<void>) {
  const { t } = useText()
  const { isBusy, problem, run, sentenceOf } = useWork()
  const [note, setNote] = useState<{ text: string; isProblem: boolean } | null>(null)
  const [shown, setShown] = useState<CharacterSummary | null>(null)
  const options = { url: SERVER, token }

  const importFiles = (files: readonly File[]) =>
    run(async () => {
      for (const file of files) {
        try {
          const { character, fresh } = await importCard(file, options)
          const text = fresh ? t.cardImported(character.name) : t.cardKnown(character.name)
          setNote({ text, isProblem: false })
        } catch (error) {
          setNote({ text: `${file.name}: ${sentenceOf(error)}`, isProblem: true })
          break
        }
      }
      await reload()
    })

  return {
    isBusy,
    problem,
    note,
    shown,
    show: setShown,
    importFiles: (files: readonly File[]) => void importFiles(files),
    exportAs: (id: string, format: CardFormat) =>
      void run(async () => save(await exportCard(id, format, options))),
    remove: (id: string) =>
      void run(async () => {
        await deleteCard(id, options)
        setShown(null)
        await reload()
      }),
  }
}
