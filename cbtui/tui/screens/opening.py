"""The screens that are a key away from the queue's."""

from __future__ import annotations

from cbtui.tui.screens.acting import ActingScreen


class OpeningScreen(ActingScreen[None]):
    """Each is imported when it is first asked for: the first paint waits for none of them."""

    def action_models(self) -> None:
        from cbtui.tui.screens.models import ModelsScreen

        self.app.push_screen(ModelsScreen(self.words))

    def action_cache(self) -> None:
        from cbtui.tui.screens.cache import CacheScreen

        self.app.push_screen(CacheScreen(self.words))

    def action_log(self) -> None:
        from cbtui.tui.screens.log import LogScreen

        self.app.push_screen(LogScreen(self.words, self.cbtui.places.log))

    def action_themes(self) -> None:
        from cbtui.tui.screens.themes import ThemeScreen

        self.app.push_screen(ThemeScreen(self.words))

    def action_settings(self) -> None:
        from cbtui.tui.screens.settings import SettingsScreen

        self.app.push_screen(SettingsScreen(self.words, self.cbtui.places))

    def action_doctor(self) -> None:
        from cbtui.tui.screens.doctor import DoctorScreen

        self.app.push_screen(DoctorScreen(self.words, self.cbtui.places))
